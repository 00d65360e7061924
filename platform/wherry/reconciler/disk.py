"""Measures who uses the disk, and lets the images of old releases go when they are too many bytes.

Only images that carry this platform's label are ever looked at. What runs, and what a rollback without a version would go back to,
stays whatever the budget says.
"""

from __future__ import annotations

from dataclasses import replace

from wherry import clock, machine
from wherry.building.builder import Stored
from wherry.model import shares
from wherry.model.app import App
from wherry.model.disk import AppUsage, Layers, Usage, shares_of, together
from wherry.model.release import Release
from wherry.model.shares import MB
from wherry.model.user import PLATFORM
from wherry.reconciler.outside import Outside
from wherry.store import apps, builds, disk, events, operations, releases
from wherry.store.database import Connection

SLACK = 256 * MB
"""Above the reserve, below which images go although the budget is not reached: the next build shall find room."""


def collect(outside: Outside) -> None:
    """Lets go of the oldest images that nobody needs until the rest fits, then measures. Blocks while the engine works."""
    began = clock.now()
    stored = outside.builder.stored()
    too_much = _too_much(outside, stored.apps)
    if too_much > 0 and _let_go(outside, stored.apps, too_much):
        outside.builder.prune(lambda: kept(outside))
        stored = outside.builder.stored()
    usage = _measured(outside, stored)
    with outside.database.write() as connection:
        disk.keep(connection, usage, began)


def kept(outside: Outside) -> set[str] | None:
    """The images that a release may be rolled back to; None while an operation is under way, for it may be making one."""
    with outside.database.read() as connection:
        return None if operations.unfinished(connection) else builds.images(connection)


def _too_much(outside: Outside, images: dict[str, Layers]) -> int:
    """Bytes that have to come free."""
    room = machine.room(outside.builder.disk())
    if room is None:
        return 0
    settings = outside.settings
    reserve = shares.disk_reserve(settings.disk_reserve, room.total)
    return max(together(images) - shares.disk_budget(settings.disk_budget, room.total), reserve + SLACK - room.free)


def _let_go(outside: Outside, images: dict[str, Layers], too_much: int) -> bool:
    """Marks the images of the oldest releases as gone until the rest holds `too_much` bytes less."""
    aim, gone = together(images) - too_much, False
    with outside.database.write() as connection:
        kept = builds.images(connection)
        left = {image: layers for image, layers in images.items() if image in kept}
        for app, release in _candidates(connection):
            if together(left) <= aim:
                break
            if left.pop(release.build.image, None) is not None:
                builds.let_go(connection, release.build.image, clock.now())
                events.add(connection, PLATFORM, "release.image_gone", app.name, clock.now(), release=release.version)
                gone = True
    return gone


def _candidates(connection: Connection) -> list[tuple[App, Release]]:
    """The releases whose images may go, the oldest first: no image that a needed release of any app has. An app that is being worked
    on needs all of its own: its operation may be on its way to any of them."""
    known = [(app, releases.of_app(connection, app, limit=10_000)) for app in apps.every(connection)]
    busy = [app for app, _ in known if operations.open_of_app(connection, app.name)]
    needed = {image for app, _ in known for image in _needed(connection, app)}.union(*(builds.images(connection, app) for app in busy))
    found = [(app, release) for app, made in known for release in made if release.build.image not in needed]
    return sorted(found, key=lambda pair: pair[1].created_at)


def _needed(connection: Connection, app: App) -> set[str]:
    present, running = releases.current(connection, app), releases.running(connection, app)
    target = releases.before(connection, app, present) if present else None
    under_way = [release for release in releases.of_app(connection, app, limit=3) if release.outcome is None]
    return {release.build.image for release in (present, running, target, *under_way) if release}


def _measured(outside: Outside, stored: Stored) -> Usage:
    settings, root = outside.settings, outside.builder.disk()
    room = machine.room(root) or machine.Room(0, 0, 100.0)
    everything = {**stored.apps, **stored.base}
    with outside.database.read() as connection:
        found = apps.every(connection)
    held = {app.name: sum(volume.size or 0 for volume in app.volumes) for app in found}
    shared = shares_of(everything, stored.app_of)
    return Usage(
        root=str(root),
        total=room.total,
        free=room.free,
        inodes=room.inodes,
        reserve=shares.disk_reserve(settings.disk_reserve, room.total),
        budget=shares.disk_budget(settings.disk_budget, room.total),
        images=together(stored.apps),
        base_images=together(stored.base),
        cache=stored.cache,
        spool=machine.size(settings.spool),
        platform=machine.size(settings.operation_logs) + machine.size(settings.database.parent),
        apps={name: replace(_app(outside, name, shared.get(name, AppUsage())), volumes=volumes) for name, volumes in held.items()},
    )


def _app(outside: Outside, name: str, images: AppUsage) -> AppUsage:
    settings = outside.settings
    return replace(
        images,
        logs=machine.size(settings.app_logs / name),
        repository=machine.size(settings.repositories / f"{name}.git"),
    )
