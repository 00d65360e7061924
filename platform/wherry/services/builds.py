"""What a person can do about how an app is built: look at its build settings and change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wherry import clock
from wherry.access.require import require
from wherry.errors import InvalidInput, NothingToDo
from wherry.model.build_settings import BuildSettings, changed
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import apps, events


def settings_of(platform: Platform, actor: Actor, name: str) -> BuildSettings:
    """Those who may not deploy may not read build args: people keep secrets in them, well or not."""
    require(actor, "deploy", f"read the build settings of {name}")
    return app_services.get(platform, actor, name).build


def change(platform: Platform, actor: Actor, name: str, changes: Mapping[str, Any]) -> BuildSettings:
    """Changes fields of the settings (`args` by name; None is the default again); they hold from the next build on.

    Raises InvalidInput for what is off, NothingToDo when nothing would change.
    """
    require(actor, "deploy", f"change the build settings of {name}")
    if not changes:
        raise InvalidInput("nothing to set: give e.g. dir=apps/web", field="build")
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        after = changed(app.build, changes)
        if after == app.build:
            raise NothingToDo(f"{name} is built like that already; nothing to do")
        apps.change(connection, app, build=after)
        events.add(connection, actor, "build.changed", name, clock.now(), fields=sorted(changes))
    return after
