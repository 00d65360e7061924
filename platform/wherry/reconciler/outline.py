"""Says what a deploy would build and change, and changes nothing: the same decisions, stopped before the first deed."""

from __future__ import annotations

from wherry.building.builder import Outline
from wherry.model.app import App
from wherry.model.build import Build
from wherry.model.build_settings import BuildSettings
from wherry.model.process import WEB
from wherry.model.release import Release, serves, wished_quantities
from wherry.reconciler import sources
from wherry.reconciler.sources import Found
from wherry.reconciler.work import Work
from wherry.store import apps, releases


def plan(work: Work) -> None:
    """Ends the operation with the whole outline in its log. Raises DeployFailed for what could not be built."""
    with sources.found(work) as found:
        app, current, number = _present(work)
        outline = work.outside.builder.outline(sources.source_of(found, app), work.say)
    for line in told(app, current, number, found, outline):
        work.detail(line)
    with work.outside.database.write() as connection:
        work.succeed(connection)


def told(app: App, current: Release | None, number: int, found: Found, outline: Outline) -> list[str]:
    """The outline in lines for a person. `number` is that of the release that a deploy would make."""
    lines = [f"process {name}: {line or _OWN}" for name, line in (outline.processes or {WEB: ""}).items()]
    if outline.processes is None and outline.buildpack in _NAMED_BY_BUILDPACKS:
        lines = ["processes: those that the buildpacks name"]
    lines.append(f"config vars: {', '.join(sorted(app.environment)) or 'none'}")
    lines += [f"build settings: {', '.join(_settings(app.build))}"] if app.build != BuildSettings() else []
    if current and serves(current, app, found.tree):
        return [*lines, f"{app.name} already runs this with this config as v{app.release}: a deploy would do nothing"]
    return [
        *lines,
        f"release: would be v{number}{f', v{app.release} is current' if current else ', the first'}",
        *_moves(app, current, outline),
    ]


_OWN = "the image's own command"
_NAMED_BY_BUILDPACKS = ("classic", "cnb")


def _settings(settings: BuildSettings) -> list[str]:
    """Of args the names: their values may be secret."""
    named = [f"{name}={value}" for name in ("dir", "dockerfile", "builder") if (value := getattr(settings, name))]
    return [*named, *(f"arg.{name}" for name in settings.args), *settings.buildpacks]


def _moves(app: App, current: Release | None, outline: Outline) -> list[str]:
    """Which instances would be replaced, started and ended."""
    before = _slots(app, current)
    after = _slots(app, _imagined(app, outline))
    kinds = {"replace": before & after, "start": after - before, "end": before - after}
    return [f"would {verb}: {', '.join(sorted(slots))}" for verb, slots in kinds.items() if slots] or ["no instance would run"]


def _slots(app: App, release: Release | None) -> set[str]:
    wished = wished_quantities(app, release).items() if release else ()
    return {f"{name}.{index}" for name, count in wished for index in range(1, count + 1) if not app.holds(name, index)}


def _imagined(app: App, outline: Outline) -> Release:
    build = Build(0, app.id, "", "", outline.buildpack, "", 0, outline.processes or {WEB: ""}, "", formation=outline.formation)
    return Release(0, app.id, 0, build, app.environment, "", "", "")


def _present(work: Work) -> tuple[App, Release | None, int]:
    """The app as it is; for a name that nobody pushed to, the app that the first push would make."""
    name = work.operation.app
    with work.outside.database.read() as connection:
        app = apps.find(connection, name)
        if app is None:
            return App(0, name, "", ""), None, 1
        return app, releases.running(connection, app), releases.last_number(connection, app) + 1
