"""What a person can do with sizes and limits: look at them, change them. A change is a release and rolls the instances of its types."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from wherry.access.require import require
from wherry.errors import NothingToDo
from wherry.model import limits
from wherry.model.limits import Room, Wish
from wherry.model.operation import Operation
from wherry.model.process import RELEASE, runnable
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import operations, releases


def of_app(platform: Platform, actor: Actor, name: str) -> dict[str, Wish]:
    """What was wished per process type, by a person or by the source; empty for those that have the platform's default."""
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        release = releases.running(connection, app)
    processes = release.build.processes if release else {}
    names = [*runnable(processes), *([RELEASE] if RELEASE in processes else []), *app.limits]
    sizes = release.build.sizes if release else {}
    return {process: limits.wish_of(app.limits, sizes, process) for process in names}


def change(platform: Platform, actor: Actor, name: str, changes: Mapping[str, Mapping[str, Any]]) -> Operation:
    """Queues new limits. Raises InvalidInput for what this machine can not give or the release does not have, NothingToDo."""
    require(actor, "deploy", f"change the limits of {name}")
    checked = limits.check_changes(changes, room())
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        release = releases.running(connection, app)
        busy = bool(operations.open_of_app(connection, name))
    if release:
        limits.check_limited(checked, release.build.processes)
    if not busy and limits.changed(app.limits, checked) == app.limits:
        raise NothingToDo(f"{name} has these limits already; nothing to do")
    return platform.wish(actor, name, "limits", {"limits": checked})


def room() -> Room:
    """What this machine has."""
    return Room(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20, os.cpu_count() or 1)
