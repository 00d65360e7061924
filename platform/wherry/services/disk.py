"""What a person can ask about the disk: who uses it; and whether there is room for what is about to be made."""

from __future__ import annotations

from pathlib import Path

from wherry import clock, machine
from wherry.access.require import require
from wherry.errors import Unavailable
from wherry.model import shares
from wherry.model.disk import Usage, refuse_when_full
from wherry.model.user import Actor
from wherry.services.platform import Platform
from wherry.store import disk

PATIENCE = 15.0
"""Seconds that one who asks waits for the engine to measure."""
YOUNG = 10.0
"""Seconds for which a measurement is good enough, if nothing was built or destroyed since."""
DOCKER = Path("/var/lib/docker")


def usage(platform: Platform, actor: Actor) -> tuple[Usage, str]:
    """Who uses the disk, and when that was measured: now, if the engine is not too busy. Raises Unavailable when it never was."""
    require(actor, "read", "look at the disk")
    found, at = measured(platform)
    if found is None:
        raise Unavailable("nobody has measured the disk yet", hint="Try again in a moment.", code="engine_away")
    return found, at


def measured(platform: Platform) -> tuple[Usage | None, str]:
    """Has the engine measure, and let go of what may go when there is too little room, unless it has just done so."""
    with platform.database.read() as connection:
        found, at = disk.latest(connection)
        asked = disk.is_wanted(connection)
    if at and not asked and (clock.parse(clock.now()) - clock.parse(at)).total_seconds() < YOUNG:
        return found, at
    with platform.database.write() as connection:
        disk.want(connection, wanted := clock.now())
    end = clock.monotonic() + (PATIENCE if platform.wake() else 0)
    while at < wanted and clock.monotonic() < end:
        clock.sleep(0.05)
        with platform.database.read() as connection:
            found, at = disk.latest(connection)
    return found, at


def check_room(platform: Platform, what: str, needed: int) -> None:
    """Raises Unavailable with the MB that are missing for `needed` bytes more, once what may go has gone."""
    try:
        _check(platform, what, needed)
    except Unavailable:
        measured(platform)
        _check(platform, what, needed)


def _check(platform: Platform, what: str, needed: int) -> None:
    with platform.database.read() as connection:
        found, _ = disk.latest(connection)
    for folder in {platform.settings.home, Path(found.root) if found else DOCKER}:
        room = machine.room(folder)
        if room:
            reserve = shares.disk_reserve(platform.settings.disk_reserve, room.total)
            refuse_when_full(what, needed, room.free, room.inodes, reserve)
