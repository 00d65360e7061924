"""Is the data of the apps where the platform thinks it is: volumes that are gone, that nobody owns, that nobody sees, and how large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wherry.model.app import App
from wherry.model.volume import Volume, mounts_from_json
from wherry.running import labels
from wherry.settings import Settings
from wherry.setup import engine_api
from wherry.setup.doctor.finding import Finding, amount, fail, ok, warn
from wherry.setup.doctor.on_state import State


def volumes(settings: Settings, state: State) -> Iterator[Finding]:
    yield from compared(state.apps, engine_api.labelled("volumes", f"{labels.PLATFORM}={settings.name}"))


def compared(apps: list[App], at_docker: list[dict[str, Any]]) -> Iterator[Finding]:
    """`at_docker` are the rows of Docker's list."""
    owned = [(app, volume) for app in apps for volume in app.volumes]
    there = {row["Name"] for row in at_docker}
    found = [*_gone(owned, there), *_unseen(owned), *_nobodys({volume.source for _, volume in owned}, at_docker)]
    yield from found
    if not found:
        yield ok("volumes", _sizes(owned))


def _gone(owned: list[tuple[App, Volume]], there: set[str]) -> Iterator[Finding]:
    """One that was measured held something; Docker makes one only when an instance first mounts it."""
    for app, volume in owned:
        if volume.size is not None and volume.source not in there:
            what = f"{volume.name} of {app.name} ({_size(volume)}) is gone from Docker: the next instance begins with an empty one"
            yield fail("volumes", what, f"Bring the data back from a copy: wherry storage:import {app.name} {volume.name} < copy.tar")


def _unseen(owned: list[tuple[App, Volume]]) -> Iterator[Finding]:
    for app, volume in owned:
        if volume.name not in {mount.volume for mount in mounts_from_json(app.mounts)}:
            fix = f"wherry storage:mount {app.name} {volume.name}:/app/{volume.name}, or wherry storage:destroy {app.name} {volume.name}"
            yield warn("volumes", f"{volume.name} of {app.name} ({_size(volume)}) is mounted nowhere", fix)


def _nobodys(sources: set[str], at_docker: list[dict[str, Any]]) -> Iterator[Finding]:
    for row in at_docker:
        if row["Name"] not in sources:
            whose = (row.get("Labels") or {}).get(labels.APP, "")
            was = f", once of {whose}" if whose else ""
            yield warn("volumes", f"{row['Name']}{was} belongs to no app", f"Look what is in it, then: docker volume rm {row['Name']}")


def _sizes(owned: list[tuple[App, Volume]]) -> str:
    if not owned:
        return "none"
    total = sum(volume.size or 0 for _, volume in owned)
    app, largest = max(owned, key=lambda one: one[1].size or 0)
    most = f"; the largest is {largest.name} of {app.name}, {_size(largest)}" if len(owned) > 1 else ""
    return f"{len(owned)}, all there, {amount(total)}{most}"


def _size(volume: Volume) -> str:
    return "not measured yet" if volume.size is None else amount(volume.size)
