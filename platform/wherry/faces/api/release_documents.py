"""The documents of releases: one release, what differs between two, what one said while it was made."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from wherry.faces.api.documents import Links
from wherry.model.app import App
from wherry.model.bake import Bake
from wherry.model.release import Release
from wherry.model.release_diff import Difference, checks_of
from wherry.model.shape import Shape
from wherry.settings import Settings


class WatchDocument(Struct):
    """How a release did after its switch. `state` is `watching`, `passed`, `bad` or `ended` (by somebody's next change),
    `back_to` the release that a bad one goes back to, null when there is none."""

    state: str
    until: str
    answers: int
    failed: int
    crashes: int
    reason: str
    back_to: str | None


class ReleaseDocument(Struct):
    """`operation` is the number of the one that made it, null when it needed none. `checks` has every check in one line.
    `watch` is null for a release that was not watched."""

    app: str
    version: str
    number: int
    description: str
    actor: str
    created_at: str
    outcome: str | None
    reason: str
    current: bool
    commit: str
    image: str
    buildpack: str
    size: int
    processes: dict[str, str]
    config_keys: list[str]
    formation: dict[str, int]
    domains: list[str]
    checks: dict[str, str]
    limits: dict[str, Any]
    mounts: list[Any]
    operation: int | None
    watch: WatchDocument | None
    image_gone: bool
    links: Links


class DifferenceDocument(Struct):
    """`before` and `after` are null where there was or is nothing, and for values that are `hidden`."""

    what: str
    name: str
    change: str
    before: str | None
    after: str | None
    hidden: bool


class ReleaseDiff(Struct):
    """`before` is null when `after` is the first live release."""

    app: str
    before: str | None
    after: str
    differences: list[DifferenceDocument]
    links: Links


class ReleaseOutput(Struct):
    app: str
    version: str
    operation: int | None
    lines: list[str]
    links: Links


def release_document(settings: Settings, app: App, release: Release, bake: Bake | None = None) -> ReleaseDocument:
    build, shape, at = release.build, release.shape, f"/api/apps/{app.name}"
    return ReleaseDocument(
        app.name,
        release.version,
        release.number,
        release.description,
        release.actor,
        release.created_at,
        release.outcome,
        release.reason,
        release.number == app.release,
        build.commit,
        build.image,
        build.buildpack,
        build.size,
        build.processes,
        sorted(release.config),
        shape.formation,
        _hosts(settings, app, shape),
        checks_of(release),
        shape.limits,
        shape.mounts,
        release.operation,
        _watch(bake) if bake else None,
        bool(build.gone),
        _links(at, release),
    )


def diff_document(app: App, before: Release | None, after: Release, found: list[Difference]) -> ReleaseDiff:
    at = f"/api/apps/{app.name}"
    links = {"app": at, "after": f"{at}/releases/{after.version}"}
    if before:
        links["before"] = f"{at}/releases/{before.version}"
    return ReleaseDiff(app.name, before.version if before else None, after.version, [_difference(one) for one in found], links)


def output_document(app: App, release: Release, lines: list[str]) -> ReleaseOutput:
    return ReleaseOutput(app.name, release.version, release.operation, lines, _links(f"/api/apps/{app.name}", release))


def _watch(bake: Bake) -> WatchDocument:
    back = f"v{bake.back_to}" if bake.back_to else None
    return WatchDocument(bake.state, bake.ends_at, bake.answers, bake.failed, bake.crashes, bake.reason, back)


def _difference(found: Difference) -> DifferenceDocument:
    values = (None, None) if found.hidden else (found.before, found.after)
    return DifferenceDocument(found.what, found.name, found.change, *values, found.hidden)


def _hosts(settings: Settings, app: App, shape: Shape) -> list[str]:
    return [*shape.domains, *([settings.host_of(app.name)] if shape.default_host else [])]


def _links(at: str, release: Release) -> Links:
    own = f"{at}/releases/{release.version}"
    links = {"self": own, "app": at, "diff": f"{own}/diff", "output": f"{own}/output"}
    return links if release.operation is None else {**links, "operation": f"/api/operations/{release.operation}"}
