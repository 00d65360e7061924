"""What a person can do with an app as a whole: make it, look at it, take it down."""

from __future__ import annotations

from wherry import clock
from wherry.access.require import require
from wherry.errors import InvalidInput
from wherry.model.app import App, check_name
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.services.domains import check_default_host
from wherry.services.platform import Platform
from wherry.store import apps, events


def create(platform: Platform, actor: Actor, name: str) -> App:
    """Raises InvalidInput for a bad name and Conflict for a taken one."""
    require(actor, "deploy", f"create {name}")
    check_name(name)
    with platform.database.write() as connection:
        check_default_host(platform, connection, name)
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
