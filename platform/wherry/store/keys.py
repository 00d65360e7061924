"""SSH keys in the database: the receiver asks here on every login, so a removed key stops working at once."""

from __future__ import annotations

import sqlite3

from wherry.errors import Conflict, NotFound
from wherry.model.user import Key, User

SELECT = "SELECT keys.*, users.name AS user FROM keys JOIN users ON users.id = user_id"


def add(connection: sqlite3.Connection, user: User, name: str, key_type: str, blob: str, fingerprint: str, at: str) -> Key:
    """Raises Conflict when the key or its name is known already."""
    try:
        cursor = connection.execute(
            "INSERT INTO keys (user_id, name, type, blob, fingerprint, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            (user.id, name, key_type, blob, fingerprint, at),
        )
    except sqlite3.IntegrityError as error:
        taken = "this key" if by_blob(connection, blob) else f'a key named "{name}"'
        raise Conflict(f"{taken} is registered already", code="key_taken", hint="See them with: wherry keys:list") from error
    return Key(int(cursor.lastrowid or 0), user.name, name, key_type, blob, fingerprint, at)


def by_blob(connection: sqlite3.Connection, blob: str) -> Key | None:
    row = connection.execute(f"{SELECT} WHERE blob = ?", (blob,)).fetchone()
    return _key(row) if row else None


def every(connection: sqlite3.Connection) -> list[Key]:
    return [_key(row) for row in connection.execute(f"{SELECT} ORDER BY keys.name")]


def get(connection: sqlite3.Connection, name: str) -> Key:
    """By its name or its fingerprint. Raises NotFound."""
    row = connection.execute(f"{SELECT} WHERE keys.name = ? OR fingerprint = ?", (name, name)).fetchone()
    if row is None:
        raise NotFound(f"no key {name[:60]!a}", code="no_such_key", hint="See them with: wherry keys:list")
    return _key(row)


def remove(connection: sqlite3.Connection, key: Key) -> None:
    connection.execute("DELETE FROM keys WHERE id = ?", (key.id,))


def _key(row: sqlite3.Row) -> Key:
    return Key(row["id"], row["user"], row["name"], row["type"], row["blob"], row["fingerprint"], row["created_at"])
