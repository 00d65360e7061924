"""What a person can do with releases: list them, and go back to one."""

from __future__ import annotations

from wherry.access.require import require
from wherry.errors import Conflict, NothingToDo
from wherry.model.operation import Operation
from wherry.model.release import Release, code_of
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import releases


def of_app(platform: Platform, actor: Actor, name: str, limit: int = 50) -> list[Release]:
    """The newest first."""
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        return releases.of_app(connection, app, limit)


def get(platform: Platform, actor: Actor, name: str, number: int) -> Release:
    """Raises NotFound naming the versions that exist."""
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        return releases.get(connection, app, number)


def current(platform: Platform, actor: Actor, name: str) -> Release | None:
    """The release that the app is wished to run, None before the first deploy."""
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        return releases.current(connection, app)


def rollback(platform: Platform, actor: Actor, name: str, number: int | None = None) -> Operation:
    """Queues a new release with image, config, Procfile, checks and limits of release `number`; without it, of the last
    live one before the current that differs in those. Raises NotFound, Conflict when there is nothing to go back to,
    NothingToDo when the current one has all that already."""
    require(actor, "deploy", f"roll back {name}")
    app = app_services.get(platform, actor, name)
    if app.release is None:
        raise Conflict(f"{name} has no release yet", hint="Push first: git push wherry main", code="no_release")
    with platform.database.read() as connection:
        present = releases.get(connection, app, app.release)
        target = releases.get(connection, app, number) if number else releases.before(connection, app, present)
    if target is None:
        raise Conflict(f"{name} has no earlier live release with other code or config than v{app.release}", code="no_such_release")
    if target.number == app.release:
        raise NothingToDo(f"{name} runs {target.version} already; nothing to do")
    if code_of(target) == code_of(present):
        raise NothingToDo(f"{name} runs image and config of {target.version} already, as {present.version}; nothing to do")
    return platform.wish(actor, name, "rollback", {"to": target.number})
