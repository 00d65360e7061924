"""What a push asks for: is there anything to do, and if so, a deploy of the archived tree."""

from __future__ import annotations

import re
from pathlib import Path

from wherry import clock
from wherry.access.require import require
from wherry.errors import InvalidInput
from wherry.model.app import App, check_name
from wherry.model.lock import refusal
from wherry.model.operation import Operation
from wherry.model.release import serves
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services import disk
from wherry.services.platform import Platform
from wherry.store import apps, operations, releases

OPTIONS = ("force", "nocache")
USUAL_IMAGE = 300 * 1024**2
"""Bytes: what an image with its dependencies takes, the base image aside."""
PLAN = "plan"
"""The push option that asks what would be done, and does nothing."""


def app_for(platform: Platform, actor: Actor, name: str) -> App:
    """The app that a push goes to; the first push makes it. Raises Conflict for one that is locked."""
    require(actor, "deploy", f"push to {name}")
    check_name(name)
    with platform.database.read() as connection:
        found = apps.find(connection, name)
    if found and found.lock:
        raise refusal(name, found.lock)
    return found or app_services.create(platform, actor, name)


def already_running(platform: Platform, name: str, tree: str) -> str | None:
    """The version (`v7`) that runs exactly this tree with the present config and build settings, if no other work waits;
    else None."""
    with platform.database.read() as connection:
        app = apps.find(connection, name)
        release = releases.running(connection, app) if app else None
        if app is None or release is None or operations.open_of_app(connection, name):
            return None
        return f"v{app.release}" if serves(release, app, tree) else None


def deploy(platform: Platform, actor: Actor, name: str, commit: str, tree: str, archive: Path, options: tuple[str, ...] = ()) -> Operation:
    """Queues the deploy of `archive` (an uncompressed tar in the spool folder; the engine owns it from now on).

    `options` are push options: `force` and `nocache`. Raises InvalidInput for others.
    """
    require(actor, "deploy", f"push to {name}")
    check_options(options)
    return platform.wish(actor, name, "deploy", _payload(platform, commit, tree, archive, options))


def plan(platform: Platform, actor: Actor, name: str, commit: str, tree: str, archive: Path) -> Operation:
    """Queues a look at what a deploy of `archive` would build and change. The app need not be there; it is not made."""
    require(actor, "deploy", f"plan a push to {name}")
    check_name(name)
    return platform.wish(actor, name, "plan", _payload(platform, commit, tree, archive, ()))


def check_room(platform: Platform, name: str, source: int) -> None:
    """Raises Unavailable with the MB that are missing to build `source` bytes: they lie in the engine's hands twice while it builds, and
    what comes out is as large as the last image of the app, or as many are."""
    with platform.database.read() as connection:
        app = apps.find(connection, name)
        release = releases.current(connection, app) if app else None
    image = min(release.build.size, USUAL_IMAGE) if release else USUAL_IMAGE
    disk.check_room(platform, f"a push to {name}", 2 * source + image)


def check_options(options: tuple[str, ...]) -> None:
    """Raises InvalidInput for an option that nobody knows."""
    unknown = [option for option in options if option not in OPTIONS]
    if unknown:
        known = "force (deploy anyway), nocache (build every layer anew) and plan (only say what would be done)"
        raise InvalidInput(f"push option {unknown[0][:40]!a}: known are {known}, e.g. git push -o force", field="option")


def _payload(platform: Platform, commit: str, tree: str, archive: Path, options: tuple[str, ...]) -> dict[str, object]:
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit) or archive.parent != platform.settings.spool:
        raise InvalidInput("a deploy needs a full commit id and an archive in the spool folder")
    return {"commit": commit, "tree": tree, "archive": archive.name, "options": list(options), "at": clock.now()}
