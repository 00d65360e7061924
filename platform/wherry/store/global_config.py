"""The config vars of all apps, in the database: one row, below each app's own."""

from __future__ import annotations

import sqlite3

from wherry.store.database import pack, unpack
from wherry.store.sealed import seal


def get(connection: sqlite3.Connection) -> dict[str, str]:
    row = connection.execute("SELECT config FROM global_config").fetchone()
    found: dict[str, str] = unpack(row["config"]) if row else {}
    return found


def put(connection: sqlite3.Connection, config: dict[str, str]) -> None:
    connection.execute(
        "INSERT INTO global_config (id, config) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET config = excluded.config",
        (seal(connection, pack(config)),),
    )
