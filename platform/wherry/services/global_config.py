"""What a person can do with global config vars: every app has them, below its own. A change is a release of each app that it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wherry import clock
from wherry.access.require import require
from wherry.errors import NothingToDo
from wherry.model.config_var import merged, words
from wherry.model.lock import refusal
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.services.config_vars import absent, checked
from wherry.services.platform import Platform
from wherry.store import apps, events, global_config, operations


def every(platform: Platform, actor: Actor) -> dict[str, str]:
    """All global config vars with their values."""
    require(actor, "deploy", "read the global config")
    with platform.database.read() as connection:
        return global_config.get(connection)


def change(platform: Platform, actor: Actor, changes: Mapping[str, Any], restart: bool = True) -> list[Operation]:
    """Sets the values and removes keys whose value is None, at once; queues a release of each deployed app that sees a
    difference, and returns those. Raises NothingToDo, and Conflict when one of these apps is locked."""
    require(actor, "admin", "change the config of all apps")
    wished = checked(changes)
    with platform.database.write() as connection:
        before = global_config.get(connection)
        after = merged(before, wished)
        if after == before:
            missing = all(value is None for value in wished.values())
            raise NothingToDo(f"the global config {absent(wished) if missing else 'has these values already'}; nothing to do")
        reached = [app for app in apps.every(connection) if replace(app, shared=after).environment != app.environment]
        for app in reached:
            if app.lock:
                raise refusal(app.name, app.lock)
        global_config.put(connection, after)
        events.add(connection, actor, "config.changed", None, clock.now(), keys=sorted(wished))
        payload = {"changes": {}, "words": words(before, after, "global "), "restart": restart}
        queued = [operations.add(connection, app.name, "config", actor.name, payload, clock.now()) for app in reached if app.release]
        for operation in queued:
            events.add(connection, actor, "config.requested", operation.app, clock.now(), operation=operation.id)
    platform.wake()
    return queued


def clear(platform: Platform, actor: Actor, restart: bool = True) -> list[Operation]:
    """Removes all. Raises NothingToDo when there is none."""
    require(actor, "admin", "change the config of all apps")
    present = every(platform, actor)
    if not present:
        raise NothingToDo("there are no global config vars; nothing to do")
    return change(platform, actor, dict.fromkeys(present), restart)
