"""Logs in at registries and out again: tries the password, and keeps it where only the engine reads."""

from __future__ import annotations

import json

from wherry import clock
from wherry.building import logins
from wherry.building.builder import Login
from wherry.errors import DeployFailed
from wherry.model.origin import HUB
from wherry.reconciler.work import Work
from wherry.secret import Secret
from wherry.store import events, registries
from wherry.store.registries import Registry

HUB_AUTH = "https://index.docker.io/v1/"
"""What Docker Hub's login is called, which is not where its images are."""


def login(work: Work) -> None:
    """A login that the registry takes; the password comes in a file of the spool, which goes with the operation."""
    server, user = work.operation.payload["server"], work.operation.payload["user"]
    try:
        password = json.loads((work.outside.settings.spool / work.operation.payload["secret"]).read_text("utf-8"))
    except FileNotFoundError as error:
        raise DeployFailed("the password is gone from the spool folder", code="source_gone", hint="Log in once more.") from error
    made = Login(user, Secret(password))
    work.outside.builder.check_login(HUB_AUTH if server == HUB else server, made)
    logins.put(work.outside.settings, server, made)
    work.say(f"logged in at {server} as {user}")
    with work.outside.database.write() as connection:
        registries.put(connection, Registry(server, user, work.actor.name, clock.now()))
        events.add(connection, work.actor, "registry.added", None, clock.now(), server=server, user=user)
        work.succeed(connection)


def logout(work: Work) -> None:
    server = work.operation.payload["server"]
    logins.remove(work.outside.settings, server)
    work.say(f"logged out at {server}")
    with work.outside.database.write() as connection:
        registries.remove(connection, server)
        events.add(connection, work.actor, "registry.removed", None, clock.now(), server=server)
        work.succeed(connection)
