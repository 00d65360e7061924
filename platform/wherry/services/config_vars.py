"""What a person can do with config vars: read them, set and unset them; a change makes a release."""

from __future__ import annotations

from typing import Any

from wherry import clock
from wherry.access.require import require
from wherry.errors import InvalidInput, NothingToDo
from wherry.model.config_var import check_key, check_value, merged
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import apps, events, operations


def of_app(platform: Platform, actor: Actor, name: str) -> dict[str, str]:
    """All config vars with their values: those who may not deploy may not read secrets."""
    require(actor, "deploy", f"read the config of {name}")
    return app_services.get(platform, actor, name).config


def change(platform: Platform, actor: Actor, name: str, changes: dict[str, Any]) -> Operation | None:
    """Sets the values and removes keys whose value is None. Before the first deploy it is done at once and None is
    returned; later it queues a release. Raises NothingToDo when nothing would change."""
    require(actor, "deploy", f"change the config of {name}")
    wished = {check_key(key): None if value is None else check_value(key, value) for key, value in changes.items()}
    if not wished:
        raise InvalidInput("nothing to set: give KEY=value, e.g. GREETING=hello", field="config")
    app = app_services.get(platform, actor, name)
    after = merged(app.config, wished)
    with platform.database.write() as connection:
        busy = operations.open_of_app(connection, name)
        if after == app.config and not busy:
            raise NothingToDo(f"{name} has these values already; nothing to do")
        if app.release is None and not busy:
            apps.change(connection, app, config=after)
            events.add(connection, actor, "config.changed", name, clock.now(), keys=sorted(wished))
            return None
    return platform.wish(actor, name, "config", {"changes": wished})
