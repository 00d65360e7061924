"""What a person can do with volumes: make, mount, share, unmount, destroy. A mount is a release; what is in a volume is not."""

from __future__ import annotations

import secrets
from dataclasses import asdict

from wherry import clock
from wherry.access.require import require
from wherry.errors import Conflict, InvalidInput, NothingToDo
from wherry.model.app import App
from wherry.model.operation import Operation
from wherry.model.process import runnable
from wherry.model.release import wished_quantities
from wherry.model.user import Actor
from wherry.model.volume import (
    MAX_VOLUMES,
    Mount,
    Volume,
    check_name,
    check_path,
    check_types,
    check_writers,
    mounts_from_json,
    mounts_to_json,
    with_mount,
    without_mounts,
)
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import apps, events, operations, releases, volumes
from wherry.store.database import Connection


def of_app(platform: Platform, actor: Actor, name: str) -> App:
    """The app with its volumes and mounts."""
    return app_services.get(platform, actor, name)


def get(platform: Platform, actor: Actor, name: str, volume: str) -> tuple[App, Volume]:
    """Raises NotFound."""
    app = app_services.get(platform, actor, name)
    return app, volumes.get(app, volume)


def create(platform: Platform, actor: Actor, name: str, volume: str, shared: bool = False) -> tuple[App, Volume]:
    """Raises InvalidInput for what is no name, Conflict for a taken one. The engine makes it when it is first mounted."""
    require(actor, "deploy", f"make volumes of {name}")
    check_name(volume)
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        if len(app.volumes) >= MAX_VOLUMES:
            raise InvalidInput(f"{name} has {MAX_VOLUMES} volumes: more are not made", field="volume")
        # The ending keeps it apart from what an earlier app of this name left at the engine.
        source = f"{platform.settings.name}-{name}-{volume}-{secrets.token_hex(3)}"
        volumes.add(connection, app, volume, source, shared, actor.name, clock.now())
        events.add(connection, actor, "volume.created", name, clock.now(), volume=volume, shared=shared)
        app = apps.get(connection, name)
    return app, volumes.get(app, volume)


def share(platform: Platform, actor: Actor, name: str, volume: str, shared: bool) -> tuple[App, Volume]:
    """Lets several instances write to it, or one at a time. Raises Conflict when more than one does already."""
    require(actor, "deploy", f"change volumes of {name}")
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        found = volumes.get(app, volume)
        if found.shared == shared:
            raise NothingToDo(f"{volume} is {'shared' if shared else 'written to by one instance at a time'} already; nothing to do")
        if not shared:
            _check_writers(connection, app, mounts_from_json(app.mounts), _shared(app) - {volume})
        volumes.share(connection, found, shared)
        events.add(connection, actor, "volume.changed", name, clock.now(), volume=volume, shared=shared)
        app = apps.get(connection, name)
    return app, volumes.get(app, volume)


def mount(
    platform: Platform, actor: Actor, name: str, volume: str, path: str, read_only: bool = False, types: list[str] | None = None
) -> Operation | None:
    """Before the first deploy it is done at once and None is returned; later it queues a release. Raises NotFound, InvalidInput,
    Conflict for a path that is taken and for too many writers, NothingToDo."""
    require(actor, "deploy", f"mount volumes of {name}")
    check_name(volume)
    wished = Mount(volume, check_path(path), read_only, check_types(types or []))
    with platform.database.read() as connection:
        app = apps.get(connection, name)
        volumes.get(app, volume)
        _check_types(connection, app, wished.types)
        present = mounts_from_json(app.mounts)
        after = with_mount(present, wished)
        _check_writers(connection, app, after, _shared(app))
        busy = operations.open_of_app(connection, name)
    if after == present and not busy:
        raise NothingToDo(f"{volume} is mounted at {wished.path} already; nothing to do")
    return _become(platform, actor, app, after, {"mount": asdict(wished)})


def unmount(platform: Platform, actor: Actor, name: str, volume: str, path: str = "") -> Operation | None:
    """Takes the volume away from one path, or from all; what is in it stays. Raises NotFound, Conflict."""
    require(actor, "deploy", f"unmount volumes of {name}")
    wished = check_path(path) if path else ""
    app = app_services.get(platform, actor, name)
    volumes.get(app, volume)
    present = mounts_from_json(app.mounts)
    after = without_mounts(present, volume, wished)
    with platform.database.read() as connection:
        busy = operations.open_of_app(connection, name)
    if after == present and not busy:
        raise NothingToDo(f"{volume} is not mounted{f' at {wished}' if wished else ''}; nothing to do")
    return _become(platform, actor, app, after, {"unmount": {"volume": volume, "path": wished}})


def destroy(platform: Platform, actor: Actor, name: str, volume: str, confirm: str) -> Operation:
    """Queues the end of a volume with all that is in it. `confirm` must repeat its name. Raises Conflict while it is mounted."""
    require(actor, "deploy", f"destroy volumes of {name}")
    app, _ = get(platform, actor, name, volume)
    if any(found.volume == volume for found in mounts_from_json(app.mounts)):
        hint = f"Unmount it first: wherry storage:unmount {name} {volume}"
        raise Conflict(f"{volume} is mounted in {name}", hint=hint, code="volume_in_use")
    if confirm != volume:
        raise InvalidInput(f"destroying {volume} needs its name once more: pass --confirm {volume}", field="confirm", code="not_confirmed")
    return platform.wish(actor, name, "volume", {"destroy": volume})


def _become(platform: Platform, actor: Actor, app: App, after: tuple[Mount, ...], payload: dict[str, object]) -> Operation | None:
    with platform.database.write() as connection:
        if app.release is None and not operations.open_of_app(connection, app.name):
            apps.change(connection, app, mounts=mounts_to_json(after))
            events.add(connection, actor, "app.changed", app.name, clock.now(), mounts=mounts_to_json(after))
            return None
    return platform.wish(actor, app.name, "mounts", payload)


def _check_types(connection: Connection, app: App, types: tuple[str, ...]) -> None:
    """Raises InvalidInput for a process type that the release does not have. Before the first deploy nobody knows them."""
    release = releases.current(connection, app)
    known = runnable(release.build.processes) if release else list(types)
    for name in types:
        if name not in known:
            raise InvalidInput(f'no process "{name}"; this release has: {", ".join(known)}', field="types")


def _check_writers(connection: Connection, app: App, mounts: tuple[Mount, ...], shared: set[str]) -> None:
    """Before the first deploy nobody knows the processes."""
    release = releases.current(connection, app)
    if release:
        check_writers(app.name, mounts, shared, wished_quantities(app, release))


def _shared(app: App) -> set[str]:
    return {volume.name for volume in app.volumes if volume.shared}
