"""What a person can do with an app as a whole: make it, look at it, stop and start it, take it down."""

from __future__ import annotations

from wherry import clock
from wherry.access.require import require
from wherry.errors import Conflict, InvalidInput, NothingToDo
from wherry.model.app import App, check_name
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.services.platform import Platform
from wherry.store import apps, events


def create(platform: Platform, actor: Actor, name: str) -> App:
    """Raises InvalidInput for a bad name and Conflict for a taken one."""
    require(actor, "deploy", f"create {name}")
    check_name(name)
    with platform.database.write() as connection:
        app = apps.create(connection, name, actor.name, clock.now())
        events.add(connection, actor, "app.created", name, clock.now())
    platform.wake()
    return app


def get(platform: Platform, actor: Actor, name: str) -> App:
    """Raises NotFound."""
    require(actor, "read", "look at apps")
    with platform.database.read() as connection:
        return apps.get(connection, name)


def every(platform: Platform, actor: Actor) -> list[App]:
    require(actor, "read", "look at apps")
    with platform.database.read() as connection:
        return apps.every(connection)


def destroy(platform: Platform, actor: Actor, name: str, confirm: str) -> Operation:
    """Queues the end of the app with all it has. `confirm` must repeat the name."""
    require(actor, "deploy", f"destroy {name}")
    get(platform, actor, name)
    if confirm != name:
        raise InvalidInput(f"destroying {name} needs its name once more: pass --confirm {name}", field="confirm", code="not_confirmed")
    return platform.wish(actor, name, "destroy", {})


def stop(platform: Platform, actor: Actor, name: str) -> Operation:
    """Queues: no instance of the app runs until it is started again, over reboots too."""
    require(actor, "deploy", f"stop {name}")
    if get(platform, actor, name).stopped:
        raise NothingToDo(f"{name} is stopped already; nothing to do")
    return platform.wish(actor, name, "stop", {})


def start(platform: Platform, actor: Actor, name: str) -> Operation:
    """Queues: the app's instances run again. Raises Conflict before the first deploy."""
    require(actor, "deploy", f"start {name}")
    app = get(platform, actor, name)
    if app.release is None:
        raise Conflict(f"{name} has no release yet", hint="Push first: git push wherry main", code="no_release")
    if not app.stopped:
        raise NothingToDo(f"{name} is started already; nothing to do")
    return platform.wish(actor, name, "start", {})
