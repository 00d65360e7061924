"""What a person can do with config vars of an app: read them, set and unset them; a change makes a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from wherry import clock
from wherry.access.require import require
from wherry.errors import Conflict, InvalidInput, NothingToDo
from wherry.model.app import App
from wherry.model.config_var import check_key, check_value, merged
from wherry.model.lock import refusal
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import apps, events, operations, releases


@dataclass(frozen=True)
class Shown:
    """An app's config vars. `own` are those that were set for it, `values` the ones that its next release has: the global
    ones below its own. `waiting` are keys whose instances do not have the value yet (`--no-restart`)."""

    values: dict[str, str]
    own: dict[str, str]
    waiting: list[str]


def of_app(platform: Platform, actor: Actor, name: str) -> dict[str, str]:
    """All config vars with their values, the global ones too: those who may not deploy may not read secrets."""
    return shown(platform, actor, name).values


def shown(platform: Platform, actor: Actor, name: str) -> Shown:
    """The config vars with where they come from, and whether instances have them."""
    require(actor, "deploy", f"read the config of {name}")
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        carried = releases.running(connection, app)
    values, present = app.environment, carried.config if carried else app.environment
    return Shown(values, app.config, sorted(key for key in {*values, *present} if values.get(key) != present.get(key)))


def change(platform: Platform, actor: Actor, name: str, changes: Mapping[str, Any], restart: bool = True) -> Operation | None:
    """Sets the values and removes keys whose value is None. Before the first deploy it is done at once and None is
    returned; later it queues a release. Without `restart` that leaves the instances as they are until the next one.
    Raises NothingToDo when nothing would change."""
    require(actor, "deploy", f"change the config of {name}")
    wished = checked(changes)
    app = app_services.get(platform, actor, name)
    _check_own(app, wished)
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        after = merged(app.config, wished)
        busy = operations.open_of_app(connection, name)
        carried = releases.running(connection, app)
        taken_up = carried is None or not restart or carried.config == replace(app, config=after).environment
        only_absent = all(value is None for value in wished.values())
        if after == app.config and not busy and (taken_up or only_absent):
            raise NothingToDo(f"{name} {absent(wished) if only_absent else 'has these values already'}; nothing to do")
        if app.release is None and not busy:
            if app.lock:
                raise refusal(app.name, app.lock)
            apps.change(connection, app, config=after)
            events.add(connection, actor, "config.changed", name, clock.now(), keys=sorted(wished))
            return None
    return platform.wish(actor, name, "config", {"changes": wished} if restart else {"changes": wished, "restart": False})


def absent(keys: Iterable[str]) -> str:
    """Of what is to be removed and is not there."""
    return f"has no config var {', '.join(sorted(keys))}"


def clear(platform: Platform, actor: Actor, name: str, restart: bool = True) -> Operation | None:
    """Removes all of the app's own. Raises NothingToDo when it has none."""
    require(actor, "deploy", f"change the config of {name}")
    own = app_services.get(platform, actor, name).config
    if not own:
        raise NothingToDo(f"{name} has no config vars of its own; nothing to do")
    return change(platform, actor, name, dict.fromkeys(own), restart)


def checked(changes: Mapping[str, Any]) -> dict[str, str | None]:
    """Raises InvalidInput for a key or value that may not be, and for no change at all."""
    if not changes:
        raise InvalidInput("nothing to set: give KEY=value, e.g. GREETING=hello", field="config")
    return {check_key(key): None if value is None else check_value(key, value) for key, value in changes.items()}


def _check_own(app: App, wished: Mapping[str, str | None]) -> None:
    foreign = [key for key, value in wished.items() if value is None and key in app.shared and key not in app.config]
    if foreign:
        raise Conflict(
            f"{foreign[0]} is a global config var, not one of {app.name}",
            hint=f"For all apps: wherry config:unset --global {foreign[0]}. For this one give it another value: "
            f"wherry config:set {app.name} {foreign[0]}=VALUE",
            code="global_config_var",
        )
