"""What a person can do with registries: log in, so that private images can be had, log out, and see where we are logged in."""

from __future__ import annotations

import json
import os
import re
import uuid

from wherry.access.require import require
from wherry.errors import InvalidInput, NotFound
from wherry.model.operation import Operation
from wherry.model.origin import check_server
from wherry.model.user import Actor
from wherry.secret import Secret
from wherry.services.platform import Platform
from wherry.store import registries
from wherry.store.registries import Registry

EVERYWHERE = ""
"""The app of an operation that is no app's."""
LONGEST = 8192


def every(platform: Platform, actor: Actor) -> list[Registry]:
    require(actor, "deploy", "look at registries")
    with platform.database.read() as connection:
        return registries.every(connection)


def login(platform: Platform, actor: Actor, server: str, user: str, password: Secret) -> Operation:
    """Queues a login. The password goes to the engine in a file that nobody else reads, and is in no row and no log."""
    require(actor, "admin", "log in at registries")
    server = check_server(server)
    if not re.fullmatch(r"[^\s:\x00-\x1f]{1,200}", user):
        raise InvalidInput(f"user {user[:40]!a}: give a name without blanks and colons, e.g. alice", field="user")
    if not 1 <= len(password.reveal()) <= LONGEST or "\0" in password.reveal():
        raise InvalidInput("the password is empty or too long: give it on standard input", field="password")
    path = platform.settings.spool / f"{uuid.uuid4()}.login"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(password.reveal(), file)
    return platform.wish(actor, EVERYWHERE, "login", {"server": server, "user": user, "secret": path.name})


def logout(platform: Platform, actor: Actor, server: str) -> Operation:
    """Queues the end of a login. Raises NotFound when there is none."""
    require(actor, "admin", "log out at registries")
    server = check_server(server)
    if server not in [known.server for known in every(platform, actor)]:
        raise NotFound(f"nobody is logged in at {server}", code="no_such_registry", hint="See them with: wherry registry")
    return platform.wish(actor, EVERYWHERE, "logout", {"server": server})
