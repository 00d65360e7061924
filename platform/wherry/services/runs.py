"""What a person can do with runs: start one beside the app or inside an instance, look, stop. The engine makes it so."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from wherry import clock
from wherry.access.require import require
from wherry.errors import Conflict, NotFound, NothingToDo, Unavailable
from wherry.model.app import App
from wherry.model.instance import parse_scope
from wherry.model.limits import limits_of, one_off_type, wish_of
from wherry.model.release import Release
from wherry.model.run import DETACHED_LIMIT, TYPE, Run, Screen, check_command, check_memory, check_time_limit
from wherry.model.user import Actor
from wherry.secret import Secret
from wherry.services import apps as app_services
from wherry.services import disk
from wherry.services.limits import room
from wherry.services.platform import Platform
from wherry.store import events, instances, releases, runs

MOST_OPEN = 16
"""Runs at the same time on one platform."""

SHELL = "if [ -x /bin/bash ]; then exec /bin/bash; fi; exec /bin/sh"


@dataclass(frozen=True)
class Wanted:
    """What a person asks for. `memory` is MB, `time_limit` seconds. Without `attached` nobody holds its line."""

    command: list[str]
    attached: bool = True
    screen: Screen | None = None
    memory: int | None = None
    time_limit: int | None = None


def start(platform: Platform, actor: Actor, name: str, wanted: Wanted) -> tuple[Run, Secret | None]:
    """A one-off in a container of the current release, also while the app is stopped: to mend it is what one-offs are
    for. An attached one comes with the ticket that its client must show to the engine within half a minute.

    Raises Conflict before the first deploy, Unavailable when MOST_OPEN are open.
    """
    require(actor, "deploy", f"run commands in {name}")
    command = check_command(wanted.command)
    limit = check_time_limit(wanted.time_limit) if wanted.time_limit is not None else None
    app = app_services.get(platform, actor, name)
    release = _release(platform, app)
    disk.check_room(platform, "a one-off", 0)
    memory = check_memory(wanted.memory, room().memory) if wanted.memory else _usual_memory(platform, release, command)
    run = Run(
        id=0,
        app=name,
        number=0,
        release=release.number,
        command=command,
        attached=wanted.attached,
        actor=actor.name,
        via=actor.via,
        created_at=clock.now(),
        memory=memory,
        screen=wanted.screen if wanted.attached else None,
        time_limit=limit if wanted.attached else limit or DETACHED_LIMIT,
    )
    return _add(platform, actor, app, run)


def enter(
    platform: Platform, actor: Actor, name: str, instance: str, command: list[str], screen: Screen | None
) -> tuple[Run, Secret | None]:
    """A program, or without one a shell, inside a running instance: `web.1`, or `web` for its first. It ends with its
    client and with the instance. Raises NotFound, Conflict for an app that is stopped."""
    require(actor, "deploy", f"enter {name}")
    app = app_services.get(platform, actor, name)
    release = _release(platform, app)
    if app.stopped:
        raise Conflict(f"{name} is stopped: there is no instance to enter", hint=_instead(app), code="app_stopped")
    where = _running(platform, app, parse_scope(instance))
    run = Run(
        id=0,
        app=name,
        number=0,
        release=release.number,
        command=check_command(command or [SHELL]),
        attached=True,
        actor=actor.name,
        via=actor.via,
        created_at=clock.now(),
        memory=0,
        instance=where,
        screen=screen,
    )
    return _add(platform, actor, app, run)


def of_app(platform: Platform, actor: Actor, name: str, ended: bool = False) -> list[Run]:
    """The newest first; those that are over only with `ended`."""
    require(actor, "read", "look at runs")
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        return runs.of_app(connection, app, ended)


def get(platform: Platform, actor: Actor, name: str, number: int) -> Run:
    """Raises NotFound."""
    require(actor, "read", "look at runs")
    app = app_services.get(platform, actor, name)
    with platform.database.read() as connection:
        return runs.get(connection, app, number)


def stop(platform: Platform, actor: Actor, name: str, number: int) -> Run:
    """Wishes its end: SIGTERM, and SIGKILL after WHERRY_STOP_TIMEOUT. Raises NothingToDo when it is over."""
    require(actor, "deploy", f"stop runs of {name}")
    app = app_services.get(platform, actor, name)
    with platform.database.write() as connection:
        run = runs.get(connection, app, number)
        if run.state == "ended":
            raise NothingToDo(f"{run.name} of {name} is over already; nothing to do")
        runs.stop(connection, run, actor.name)
        events.add(connection, actor, "run.stop_requested", name, clock.now(), run=run.name)
        run = runs.get(connection, app, number)
    platform.wake()
    return run


def _add(platform: Platform, actor: Actor, app: App, run: Run) -> tuple[Run, Secret | None]:
    ticket = Secret(secrets.token_hex(32)) if run.attached else None
    digest = hashlib.sha256(ticket.reveal().encode()).hexdigest() if ticket else None
    with platform.database.write() as connection:
        if len(runs.unended(connection)) >= MOST_OPEN:
            raise Unavailable(f"{MOST_OPEN} runs are open already", hint="End one, see: wherry run:list APP", code="too_many_runs")
        run = runs.add(connection, app, run, digest)
        facts = {"run": run.name, "program": run.program, "attached": run.attached}
        events.add(
            connection, actor, "run.requested", app.name, clock.now(), **facts, **({"instance": run.instance} if run.instance else {})
        )
    platform.wake()
    return run, ticket


def _release(platform: Platform, app: App) -> Release:
    with platform.database.read() as connection:
        release = releases.current(connection, app)
    if release is None:
        raise Conflict(f"{app.name} has no release yet", hint="Push first: git push wherry main", code="no_release")
    return release


def _running(platform: Platform, app: App, scope: str) -> str:
    """The name of the running instance that is meant."""
    wanted = scope if "." in scope else f"{scope}.1"
    with platform.database.read() as connection:
        rows = instances.of_app(connection, app.name)
    found = next((row for row in rows if row.name == wanted), None)
    if found is None or found.type == TYPE:
        raise NotFound(f"{app.name} has no instance {wanted}", code="no_such_instance", hint=f"See them with: wherry ps {app.name}")
    if not found.container or found.state not in ("starting", "running"):
        raise Conflict(f"{wanted} of {app.name} is {found.state}", hint=_instead(app), code="not_entered")
    return wanted


def _instead(app: App) -> str:
    return f"Look around in a container of its own: wherry run {app.name} sh"


def _usual_memory(platform: Platform, release: Release, command: tuple[str, ...]) -> int:
    wish = wish_of(release.shape.limits, release.build.sizes, one_off_type(command, release.build.processes))
    return limits_of(wish, platform.settings.instance_memory).memory
