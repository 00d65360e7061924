"""What a person can do with checks: look at them, ask them now, set how they are asked, switch them off and on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wherry.access.require import require
from wherry.errors import Conflict, NothingToDo
from wherry.model import check_settings as rules
from wherry.model.app import App
from wherry.model.check import HealthCheck
from wherry.model.check_settings import DISABLED, SKIPPED, CheckSettings
from wherry.model.instance import parse_scope
from wherry.model.operation import Operation
from wherry.model.process import runnable
from wherry.model.release import Release
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import operations, releases


@dataclass(frozen=True)
class Checks:
    """`asked` are the checks in force by process type, `settings` what a person set, `numbers` what is in force of it."""

    asked: dict[str, tuple[HealthCheck, ...]]
    settings: CheckSettings
    numbers: dict[str, int]


def of_app(platform: Platform, actor: Actor, name: str) -> Checks:
    app = app_services.get(platform, actor, name)
    release, settings = _release(platform, app), platform.settings
    types = runnable(release.build.processes) if release else []
    found = rules.applied(app.checks, release.build.checks) if release else {}
    own = {"bake": settings.bake, "boot": settings.boot_timeout, "drain": settings.drain_timeout}
    numbers = {key: rules.number(app.checks, key, value) for key, value in own.items()}
    return Checks({process: found.get(process, ()) for process in types}, app.checks, numbers)


def set_numbers(platform: Platform, actor: Actor, name: str, wished: Mapping[str, object]) -> Operation:
    """Queues other numbers; None takes one back. Raises InvalidInput, NothingToDo."""
    app = _to_change(platform, actor, name)
    return _wish(platform, actor, app, rules.changed(app.checks, wished), {"set": dict(wished)})


def disable(platform: Platform, actor: Actor, name: str, types: list[str]) -> Operation:
    """Queues: no check of these types is asked, and their instances stop before their successors start. All without `types`."""
    return _move(platform, actor, name, types, DISABLED)


def skip(platform: Platform, actor: Actor, name: str, types: list[str]) -> Operation:
    """Queues: new instances of these types get their visitors without startup checks."""
    return _move(platform, actor, name, types, SKIPPED)


def enable(platform: Platform, actor: Actor, name: str, types: list[str]) -> Operation:
    """Queues: what was disabled or skipped is asked again."""
    return _move(platform, actor, name, types, None)


def run(platform: Platform, actor: Actor, name: str, instance: str | None = None) -> Operation:
    """Queues: every check is asked now, of one instance, of a process type or of all; the operation fails when one does."""
    require(actor, "deploy", f"run the checks of {name}")
    app = app_services.get(platform, actor, name)
    if app.release is None:
        raise Conflict(f"{name} has no release yet", hint="Push first: git push wherry main", code="no_release")
    return platform.wish(actor, name, "check", {"instance": parse_scope(instance) if instance else None})


def _move(platform: Platform, actor: Actor, name: str, types: list[str], into: str | None) -> Operation:
    app = _to_change(platform, actor, name)
    release = _release(platform, app)
    wanted = rules.check_types(types, runnable(release.build.processes) if release else types)
    return _wish(platform, actor, app, rules.moved(app.checks, wanted, into), {"types": wanted, "into": into})


def _wish(platform: Platform, actor: Actor, app: App, after: CheckSettings, payload: dict[str, object]) -> Operation:
    with platform.database.read() as connection:
        busy = bool(operations.open_of_app(connection, app.name))
    if after == app.checks and not busy:
        raise NothingToDo(f"the checks of {app.name} are set so already; nothing to do")
    return platform.wish(actor, app.name, "checks", payload)


def _to_change(platform: Platform, actor: Actor, name: str) -> App:
    require(actor, "deploy", f"change the checks of {name}")
    return app_services.get(platform, actor, name)


def _release(platform: Platform, app: App) -> Release | None:
    with platform.database.read() as connection:
        return releases.running(connection, app)
