"""What a person can do with releases: look at them, compare them, and go back to one."""

from __future__ import annotations

from dataclasses import replace
from typing import Never

from wherry.access.require import require
from wherry.errors import Conflict, NothingToDo
from wherry.model.app import App
from wherry.model.bake import Bake
from wherry.model.build import Build
from wherry.model.operation import Operation
from wherry.model.release import Release, code_of, place_of
from wherry.model.release_diff import Difference, differences, hide
from wherry.model.shape import Shape
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import bakes, releases
from wherry.store.database import Connection

NO_BUILD = Build(0, 0, "", "", "", "", 0, {}, "")
"""What the first release is compared with."""


def of_app(platform: Platform, actor: Actor, name: str, limit: int = 50) -> list[Release]:
    """The newest first."""
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        return releases.of_app(connection, app, limit)


def get(platform: Platform, actor: Actor, name: str, number: int) -> Release:
    """Raises NotFound naming the versions that exist."""
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        return releases.get(connection, app, number)


def watched(platform: Platform, actor: Actor, name: str) -> dict[int, Bake]:
    """How releases did after their switch, by number; those that were not watched are not there."""
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        return bakes.of_app(connection, app.id)


def current(platform: Platform, actor: Actor, name: str) -> Release | None:
    """The release that the app is wished to run, None before the first deploy."""
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        return releases.current(connection, app)


def diff(
    platform: Platform, actor: Actor, name: str, number: int, other: int | None = None, reveal: bool = False
) -> tuple[Release | None, Release, list[Difference]]:
    """What differs between release `other` (without it: the live one before, None for the first) and release `number`.
    Values of config vars are hidden unless `reveal`, which takes the role that may read them."""
    if reveal:
        require(actor, "deploy", f"read the config of {name}")
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        after = releases.get(connection, app, number)
        before = releases.get(connection, app, other) if other else releases.live_before(connection, app, number)
    found = differences(before or replace(after, build=NO_BUILD, config={}, shape=Shape(default_host=False)), after)
    return before, after, found if reveal else [hide(one) for one in found]


def output(platform: Platform, actor: Actor, name: str, number: int) -> tuple[Release, list[str]]:
    """What was said while the release was made; nothing for one that needed no work, as a change of domains."""
    release = get(platform, actor, name, number)
    return release, platform.operation_logs.read(release.operation)[0] if release.operation else []


def rollback(platform: Platform, actor: Actor, name: str, number: int | None = None) -> Operation:
    """Queues a new release with image, config, Procfile, checks and limits of release `number`; without it, of the last
    live one before the current that differs in those. When release `number` does not, its formation and domains are what
    is wished. Raises NotFound, Conflict when there is nothing to go back to, NothingToDo when all is so already."""
    require(actor, "deploy", f"roll back {name}")
    app = app_services.get(platform, actor, name)
    if app.release is None:
        raise Conflict(f"{name} has no release yet", hint="Push first: git push wherry main", code="no_release")
    with platform.database.read() as connection:
        present = releases.get(connection, app, app.release)
        target = releases.get(connection, app, number) if number else releases.before(connection, app, present)
        target = target or _no_other_code(connection, app, present)
    if target.number == app.release:
        raise NothingToDo(f"{name} runs {target.version} already; nothing to do")
    if (code_of(target), place_of(target)) == (code_of(present), place_of(present)):
        raise NothingToDo(f"{name} runs all of {target.version} already, as {present.version}{_volumes(target, present)}; nothing to do")
    return platform.wish(actor, name, "rollback", {"to": target.number})


def _no_other_code(connection: Connection, app: App, present: Release) -> Never:
    """Raises Conflict with what can be typed: a person who says `rollback` means other code, and is asked before domains go."""
    raise Conflict(
        f"{app.name} has no earlier live release with other code or config than {present.version}",
        hint=_instead(app, present, releases.live_before(connection, app, present.number)),
        code="no_such_release",
        quoted=(present.description,),
    )


def _instead(app: App, present: Release, last: Release | None) -> str:
    if last is None:
        return f"Nothing went live before it. Look: wherry releases {app.name}"
    if place_of(last) == place_of(present):
        return f"See what {present.version} changed: wherry releases:diff {app.name} {present.version}"
    return f"To take back {present.version} ({present.description}): wherry rollback {app.name} {last.version}"


def _volumes(target: Release, present: Release) -> str:
    return "; volumes stay as they are today" if target.shape.mounts != present.shape.mounts else ""
