"""Users in the database."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from wherry.errors import Conflict, NotFound
from wherry.model.user import User


def create(connection: sqlite3.Connection, name: str, role: str, at: str, local_uid: int | None = None) -> User:
    """Raises Conflict when the name or the local account is taken."""
    try:
        cursor = connection.execute(
            "INSERT INTO users (name, role, local_uid, created_at) VALUES (?, ?, ?, ?)", (name, role, local_uid, at)
        )
    except sqlite3.IntegrityError as error:
        raise Conflict(f'user "{name}" exists already', code="name_taken") from error
    return User(int(cursor.lastrowid or 0), name, role, at, local_uid)


def find(connection: sqlite3.Connection, name: str) -> User | None:
    return _user(connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone())


def get(connection: sqlite3.Connection, name: str) -> User:
    """Raises NotFound."""
    user = find(connection, name)
    if user is None:
        raise NotFound(f"no user {name[:40]!a}", code="no_such_user")
    return user


def by_uid(connection: sqlite3.Connection, uid: int) -> User | None:
    return _user(connection.execute("SELECT * FROM users WHERE local_uid = ?", (uid,)).fetchone())


def every(connection: sqlite3.Connection) -> list[User]:
    return [user for row in connection.execute("SELECT * FROM users ORDER BY name") if (user := _user(row))]


def give_uid(connection: sqlite3.Connection, user: User, local_uid: int) -> User:
    """Lets the machine's account `local_uid` speak for `user`, and for nobody else from now on."""
    connection.execute("UPDATE users SET local_uid = NULL WHERE local_uid = ?", (local_uid,))
    connection.execute("UPDATE users SET local_uid = ? WHERE id = ?", (local_uid, user.id))
    return replace(user, local_uid=local_uid)


def give_role(connection: sqlite3.Connection, user: User, role: str) -> User:
    connection.execute("UPDATE users SET role = ? WHERE id = ?", (role, user.id))
    return replace(user, role=role)


def remove(connection: sqlite3.Connection, user: User) -> None:
    """Deletes the user with all keys and tokens."""
    connection.execute("DELETE FROM users WHERE id = ?", (user.id,))


def _user(row: sqlite3.Row | None) -> User | None:
    return User(row["id"], row["name"], row["role"], row["created_at"], row["local_uid"]) if row else None
