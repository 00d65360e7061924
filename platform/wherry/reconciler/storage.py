"""Volumes as work: a change of mounts is a release, the end of a volume is the end of what is in it; sizes are looked at now and then."""

from __future__ import annotations

from datetime import timedelta

from wherry import clock
from wherry.model.app import App
from wherry.model.volume import Mount, Volume, mounts_from_json, mounts_to_json, mounts_words, with_mount, without_mounts
from wherry.reconciler.outside import Outside
from wherry.reconciler.switch import go_live, known_release, new_release
from wherry.reconciler.told import in_force, kept
from wherry.reconciler.work import Work
from wherry.store import apps, events, releases, volumes

MEASURE_EVERY = timedelta(hours=1)
"""A walk through all files of a volume, so not often; one that was never measured is first."""


def mounts(work: Work) -> None:
    """The instances that see the change are replaced; what is in the volumes is not touched."""
    app = work.app()
    with work.outside.database.read() as connection:
        current = releases.current(connection, app)
    before = mounts_from_json(app.mounts)
    after = _changed(before, work)
    if current is None:
        _keep(work, app, after)
        return
    release = known_release(work) or new_release(work, current.build, app.config, mounts_words(before, after), mounts=mounts_to_json(after))
    go_live(work, release, lambda: in_force(work, release.description, release.version))


def _changed(before: tuple[Mount, ...], work: Work) -> tuple[Mount, ...]:
    payload = work.operation.payload
    if "mount" in payload:
        (wished,) = mounts_from_json([payload["mount"]])
        volumes.get(work.app(), wished.volume)
        return with_mount(before, wished)
    return without_mounts(before, payload["unmount"]["volume"], payload["unmount"]["path"])


def _keep(work: Work, app: App, after: tuple[Mount, ...]) -> None:
    """Nothing was deployed yet: the first release will have it."""
    work.say(kept(app.name))
    with work.outside.database.write() as connection:
        apps.change(connection, app, mounts=mounts_to_json(after))
        events.add(connection, work.actor, "app.changed", app.name, clock.now(), mounts=mounts_to_json(after))
        work.succeed(connection)


def destroy(work: Work) -> None:
    """A volume goes with all that is in it. Raises Conflict while a container has it mounted."""
    app, name = work.app(), work.operation.payload["destroy"]
    volume = next((found for found in app.volumes if found.name == name), None)
    if volume:
        work.outside.engine.remove_volume(volume.source)
    work.say(f"{name} of {app.name} is destroyed")
    with work.outside.database.write() as connection:
        if volume:
            volumes.remove(connection, volume)
            events.add(connection, work.actor, "volume.destroyed", app.name, clock.now(), volume=name)
        work.succeed(connection)


def destroy_all(outside: Outside, app: App) -> None:
    """The volumes of an app that goes; nothing of it runs any more."""
    for volume in app.volumes:
        outside.engine.remove_volume(volume.source)


def measure(outside: Outside) -> None:
    """Takes the size of the volumes whose turn it is. Reads their files: for a thread of its own."""
    with outside.database.read() as connection:
        due = [volume for volume in volumes.every(connection) if _is_due(volume)]
    for volume in due:
        size = outside.engine.volume_size(volume.source)
        if size is not None:
            with outside.database.write() as connection:
                volumes.measured(connection, volume, size, clock.now())


def _is_due(volume: Volume) -> bool:
    return volume.measured_at is None or clock.parse(clock.now()) - clock.parse(volume.measured_at) >= MEASURE_EVERY
