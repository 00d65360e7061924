"""Tokens in the database, by the hash of their secret; the secret itself is nowhere."""

from __future__ import annotations

import sqlite3

from wherry.errors import Conflict, NotFound
from wherry.model.user import Token, User

SELECT = "SELECT tokens.*, users.name AS user FROM tokens JOIN users ON users.id = user_id"


def add(
    connection: sqlite3.Connection, user: User, name: str, role: str, prefix: str, secret_hash: str, at: str, expires_at: str | None
) -> Token:
    """Raises Conflict when the user has a token of that name."""
    try:
        cursor = connection.execute(
            "INSERT INTO tokens (user_id, name, role, prefix, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (user.id, name, role, prefix, secret_hash, at, expires_at),
        )
    except sqlite3.IntegrityError as error:
        raise Conflict(f'a token named "{name}" exists already', code="name_taken", hint="See them with: wherry tokens:list") from error
    return Token(int(cursor.lastrowid or 0), user.name, name, role, prefix, at, expires_at)


def by_hash(connection: sqlite3.Connection, secret_hash: str) -> Token | None:
    row = connection.execute(f"{SELECT} WHERE hash = ?", (secret_hash,)).fetchone()
    return _token(row) if row else None


def every(connection: sqlite3.Connection) -> list[Token]:
    return [_token(row) for row in connection.execute(f"{SELECT} ORDER BY users.name, tokens.name")]


def get(connection: sqlite3.Connection, name: str) -> Token:
    """By its name or its visible prefix. Raises NotFound."""
    row = connection.execute(f"{SELECT} WHERE tokens.name = ? OR prefix = ?", (name, name)).fetchone()
    if row is None:
        raise NotFound(f"no token {name[:60]!a}", code="no_such_token", hint="See them with: wherry tokens:list")
    return _token(row)


def touch(connection: sqlite3.Connection, token: Token, at: str) -> None:
    connection.execute("UPDATE tokens SET last_used_at = ? WHERE id = ?", (at, token.id))


def remove(connection: sqlite3.Connection, token: Token) -> None:
    connection.execute("DELETE FROM tokens WHERE id = ?", (token.id,))


def _token(row: sqlite3.Row) -> Token:
    return Token(row["id"], row["user"], row["name"], row["role"], row["prefix"], row["created_at"], row["expires_at"], row["last_used_at"])
