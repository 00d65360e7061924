"""Registries that the platform is logged in at, without their passwords: these are in a file that only the engine reads."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class Registry:
    server: str
    user: str
    created_by: str
    created_at: str


def every(connection: sqlite3.Connection) -> list[Registry]:
    return [Registry(**dict(row)) for row in connection.execute("SELECT * FROM registries ORDER BY server")]


def put(connection: sqlite3.Connection, registry: Registry) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO registries (server, user, created_by, created_at) VALUES (?, ?, ?, ?)",
        (registry.server, registry.user, registry.created_by, registry.created_at),
    )


def remove(connection: sqlite3.Connection, server: str) -> None:
    connection.execute("DELETE FROM registries WHERE server = ?", (server,))
