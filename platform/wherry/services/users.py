"""What a person can do with users: add them, look at them, remove them; and how the first admin comes to be."""

from __future__ import annotations

from wherry import clock
from wherry.access.require import require
from wherry.errors import Conflict, Forbidden
from wherry.model.user import PLATFORM, Actor, User, check_role, check_user_name
from wherry.services.platform import Platform
from wherry.store import events, users
from wherry.store.database import Connection


def add(platform: Platform, actor: Actor, name: str, role: str = "deploy", local_uid: int | None = None) -> User:
    """Raises InvalidInput for a bad name or role, Conflict when the name or the local account is taken."""
    require(actor, "admin", "add users")
    check_user_name(name)
    check_role(role)
    with platform.database.write() as connection:
        user = users.create(connection, name, role, clock.now(), local_uid)
        events.add(connection, actor, "user.created", None, clock.now(), user=name, role=role)
    return user


def every(platform: Platform, actor: Actor) -> list[User]:
    require(actor, "admin", "look at users")
    with platform.database.read() as connection:
        return users.every(connection)


def get(platform: Platform, actor: Actor, name: str) -> User:
    """Raises NotFound."""
    require(actor, "admin", "look at users")
    with platform.database.read() as connection:
        return users.get(connection, name)


def remove(platform: Platform, actor: Actor, name: str) -> None:
    """Removes the user with all keys and tokens. Raises Conflict for the last admin."""
    require(actor, "admin", "remove users")
    with platform.database.write() as connection:
        user = users.get(connection, name)
        admins = [other for other in users.every(connection) if other.role == "admin"]
        if admins == [user]:
            raise Conflict(f"{name} is the last admin", hint="Make another first: wherry users:add NAME --role admin", code="last_admin")
        users.remove(connection, user)
        events.add(connection, actor, "user.removed", None, clock.now(), user=name)


def ensure_admin(platform: Platform, name: str, local_uid: int) -> User:
    """Makes `name` an admin whom the machine's account `local_uid` speaks for. Idempotent; only set-up calls it."""
    check_user_name(name)
    with platform.database.write() as connection:
        user = users.find(connection, name)
        if user and user.role == "admin" and user.local_uid == local_uid:
            return user
        if user is None:
            user = users.create(connection, name, "admin", clock.now())
        user = users.give_role(connection, users.give_uid(connection, user, local_uid), "admin")
        events.add(connection, PLATFORM, "user.registered", None, clock.now(), user=name, role="admin", local_uid=local_uid)
    return user


def owner(connection: Connection, actor: Actor, name: str | None) -> User:
    """Whose key or token it is to be: the actor's own, or that of `name` when an admin says so."""
    if name and name != actor.name and actor.role != "admin":
        raise Forbidden(f"{actor.name} ({actor.role}) may not act for {name[:40]}: that needs the role admin")
    if not name and actor == Actor("root", "admin", "local") and users.find(connection, "root") is None:
        return users.create(connection, "root", "admin", clock.now())
    return users.get(connection, name or actor.name)
