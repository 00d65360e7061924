"""What a person can do with the lock of an app: put it on, take it off. Who would change a locked app is refused here."""

from __future__ import annotations

from wherry import clock
from wherry.access.require import require
from wherry.errors import Forbidden, NothingToDo
from wherry.model.app import App
from wherry.model.lock import Lock, check_why, refusal
from wherry.model.user import Actor
from wherry.services.platform import Platform
from wherry.store import apps, events


def lock(platform: Platform, actor: Actor, name: str, why: str = "") -> App:
    """From now on pushes and changes are refused; what is under way is finished. Raises Conflict when another has locked it."""
    require(actor, "deploy", f"lock {name}")
    wished = Lock(actor.name, clock.now(), check_why(why))
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        if app.lock and app.lock.by != actor.name:
            raise refusal(name, app.lock)
        if app.lock and app.lock.why == why:
            raise NothingToDo(f"{name} is locked by you already; nothing to do")
        events.add(connection, actor, "app.locked", name, clock.now(), why=why)
        return apps.change(connection, app, lock=wished)


def unlock(platform: Platform, actor: Actor, name: str) -> App:
    """Raises Forbidden for all but who locked it and admins."""
    require(actor, "deploy", f"unlock {name}")
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        if app.lock is None:
            raise NothingToDo(f"{name} is not locked; nothing to do")
        if actor.role != "admin" and actor.name != app.lock.by:
            raise Forbidden(f"{name} is locked by {app.lock.by}: they or an admin may unlock it", hint="Ask one of them.")
        events.add(connection, actor, "app.unlocked", name, clock.now(), locked_by=app.lock.by)
        return apps.change(connection, app, lock=None)


def check(platform: Platform, name: str) -> None:
    """Raises Conflict when the app is locked; an app that is not there is not."""
    with platform.database.read() as connection:
        app = apps.find(connection, name)
    if app and app.lock:
        raise refusal(name, app.lock)
