"""What a person can do about how an app is built: look at its build settings and change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wherry import clock
from wherry.access.require import require
from wherry.errors import InvalidInput, NothingToDo
from wherry.model.build import BuildRecord
from wherry.model.build_settings import BuildSettings, changed
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import apps, builds, events


def recent(platform: Platform, actor: Actor, app: str | None = None, limit: int = 30) -> list[BuildRecord]:
    """Builds of one app or of all, the newest first."""
    require(actor, "read", "look at builds")
    with platform.database.read() as connection:
        if app is not None:
            apps.get(connection, app)
        return builds.records(connection, app, limit)


def get(platform: Platform, actor: Actor, number: int) -> BuildRecord:
    """Raises NotFound."""
    require(actor, "read", "look at builds")
    with platform.database.read() as connection:
        return builds.record(connection, number)


def has_log(platform: Platform, number: int) -> bool:
    """Whether what it said is still kept."""
    return platform.operation_logs.path(number).exists()


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
