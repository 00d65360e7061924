"""What a person can do with an app as a whole: make it, look at it, take it down."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from wherry import clock
from wherry.access.require import require
from wherry.errors import Conflict, InvalidInput, NothingToDo
from wherry.model.app import App, check_name
from wherry.model.label import changed, matches, parse_filter
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.services.domains import check_default_host
from wherry.services.operations import cancel
from wherry.services.platform import Platform
from wherry.store import apps, events, operations, runs
from wherry.store.database import Connection


def create(platform: Platform, actor: Actor, name: str) -> App:
    """Raises InvalidInput for a bad name and Conflict for a taken one."""
    require(actor, "deploy", f"create {name}")
    check_name(name)
    with platform.database.write() as connection:
        check_default_host(platform, connection, name)
        app = apps.create(connection, name, actor.name, clock.now())
        events.add(connection, actor, "app.created", name, clock.now())
    platform.wake()
    return app


def get(platform: Platform, actor: Actor, name: str) -> App:
    """Raises NotFound."""
    require(actor, "read", "look at apps")
    with platform.database.read() as connection:
        return apps.get(connection, name)


def every(platform: Platform, actor: Actor, labels: str = "") -> list[App]:
    """All apps, or those that have `labels`: `env=prod,team`. Raises InvalidInput."""
    require(actor, "read", "look at apps")
    wanted = parse_filter(labels) if labels else {}
    with platform.database.read() as connection:
        return [app for app in apps.every(connection) if matches(app.labels, wanted)]


def label(platform: Platform, actor: Actor, name: str, changes: Mapping[str, object]) -> App:
    """Puts labels on the app and takes some away (None). Raises InvalidInput, NothingToDo."""
    require(actor, "deploy", f"label {name}")
    if not changes:
        raise InvalidInput("nothing to label: give KEY=VALUE, e.g. env=prod", field="labels")
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        labels = changed(app.labels, changes)
        if labels == app.labels:
            gone = all(value is None for value in changes.values())
            raise NothingToDo(f"{name} has {'no label ' + ', '.join(changes) if gone else 'these labels already'}; nothing to do")
        events.add(connection, actor, "app.labelled", name, clock.now(), labels=labels)
        return apps.change(connection, app, labels=labels)


def destroy(platform: Platform, actor: Actor, name: str, confirm: str) -> Operation:
    """Queues the end of the app with all it has, and cancels what is under way for it, which would be in vain. `confirm` must repeat
    the name."""
    require(actor, "deploy", f"destroy {name}")
    get(platform, actor, name)
    if confirm != name:
        raise InvalidInput(f"destroying {name} needs its name once more: pass --confirm {name}", field="confirm", code="not_confirmed")
    with platform.database.read() as connection:
        vain = [one for one in operations.open_of_app(connection, name) if one.kind != "destroy"]
    wished = platform.wish(actor, name, "destroy", {"cancels": [f"{one.kind} {one.id} by {one.actor}" for one in vain]} if vain else {})
    for one in vain:
        with suppress(Conflict):  # it has just ended
            cancel(platform, actor, one.id)
    return wished


def rename(platform: Platform, actor: Actor, name: str, new: str) -> Operation:
    """Queues another name. The host of the old one becomes a domain of the app. Raises InvalidInput, Conflict for a name or
    host that is taken, and while its one-offs run, which would be cut off."""
    require(actor, "deploy", f"rename {name}")
    check_name(new)
    if new == name:
        raise NothingToDo(f"{get(platform, actor, name).name} is its name already; nothing to do")
    with platform.database.read() as connection:
        app = apps.get(connection, name)
        _check_free(platform, connection, new)
        open_runs = runs.of_app(connection, app, False)
    if open_runs:
        them = ", ".join(run.name for run in open_runs)
        hint = f"Wait until they end, or end them: wherry run:stop {name} {open_runs[0].name}"
        raise Conflict(f"one-offs of {name} run, and a rename would cut them off: {them}", code="runs_open", hint=hint)
    return platform.wish(actor, name, "rename", {"to": new})


def clone(platform: Platform, actor: Actor, name: str, new: str, deploy: bool = True) -> Operation:
    """Queues a copy of the app under the name `new`, running at once unless `deploy` is False. Raises like `create`."""
    require(actor, "deploy", f"clone {name}")
    check_name(new)
    with platform.database.read() as connection:
        apps.get(connection, name)
        _check_free(platform, connection, new)
    return platform.wish(actor, new, "clone", {"clone_of": name, "deploy": deploy})


def _check_free(platform: Platform, connection: Connection, name: str) -> None:
    if apps.find(connection, name):
        raise Conflict(f'app "{name}" exists already', code="name_taken", hint=f"See it with: wherry apps:info {name}")
    check_default_host(platform, connection, name)
