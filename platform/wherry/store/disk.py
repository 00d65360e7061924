"""What the disk is used for, in the database: measured by the engine, for those who may not look at Docker; and who waits for it."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict

from wherry.model.disk import AppUsage, Usage
from wherry.store.database import pack, unpack


def want(connection: sqlite3.Connection, at: str) -> None:
    """Asks for a measurement that is younger than `at`."""
    connection.execute("UPDATE disk SET wanted_at = ?", (at,))


def is_wanted(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT wanted_at > measured_at FROM disk").fetchone()[0])


def keep(connection: sqlite3.Connection, usage: Usage, at: str) -> None:
    """`at` is when the measurement began."""
    connection.execute("UPDATE disk SET document = ?, measured_at = ?", (pack(asdict(usage)), at))


def latest(connection: sqlite3.Connection) -> tuple[Usage | None, str]:
    """The measurement and when it was made; None before the first."""
    row = connection.execute("SELECT * FROM disk").fetchone()
    found = unpack(row["document"])
    if not found:
        return None, ""
    apps = {name: AppUsage(**usage) for name, usage in found.pop("apps").items()}
    return Usage(**found, apps=apps), row["measured_at"]
