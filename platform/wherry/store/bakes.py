"""Bake windows in the database: which releases are watched, what was counted, how it went."""

from __future__ import annotations

import sqlite3

from wherry.model.bake import ENDED, WATCHING, Bake
from wherry.store.database import pack, unpack

COLUMNS = ("app_id", "release", "back_to", "started_at", "ends_at", "usual", "state", "reason", "answers", "failed", "crashes", "seen")
CRASHED = ("instance.crashed", "instance.unhealthy")


def put(connection: sqlite3.Connection, bake: Bake) -> None:
    """Writes a window, over what was known of it."""
    values = [pack(bake.seen) if name == "seen" else getattr(bake, name) for name in COLUMNS]
    names, places = ", ".join(f'"{name}"' for name in COLUMNS), ", ".join("?" * len(COLUMNS))
    connection.execute(f"INSERT OR REPLACE INTO bakes ({names}) VALUES ({places})", values)


def start(connection: sqlite3.Connection, bake: Bake) -> None:
    """Opens a window; an open one of the same app ends."""
    connection.execute("UPDATE bakes SET state = ? WHERE app_id = ? AND state = ?", (ENDED, bake.app_id, WATCHING))
    put(connection, bake)


def watching(connection: sqlite3.Connection) -> list[tuple[str, Bake]]:
    """The open windows, with the names of their apps."""
    rows = connection.execute("SELECT bakes.*, apps.name FROM bakes JOIN apps ON apps.id = app_id WHERE state = 'watching'")
    return [(row["name"], _bake(row)) for row in rows]


def of_app(connection: sqlite3.Connection, app_id: int) -> dict[int, Bake]:
    """All windows of an app by release."""
    rows = connection.execute("SELECT * FROM bakes WHERE app_id = ?", (app_id,))
    return {row["release"]: _bake(row) for row in rows}


def crashes(connection: sqlite3.Connection, app: str, since: str) -> tuple[int, str]:
    """How many instances of an app ended by themselves or were unhealthy since a moment, and the last one with its reason."""
    rows = connection.execute(
        "SELECT data FROM events WHERE app = ? AND type IN (?, ?) AND at >= ? ORDER BY id DESC", (app, *CRASHED, since)
    ).fetchall()
    last = unpack(rows[0]["data"]) if rows else {}
    return len(rows), f"{last.get('instance')}: {last.get('reason')}" if last else ""


def _bake(row: sqlite3.Row) -> Bake:
    values = {name: row[name] for name in COLUMNS}
    return Bake(**{**values, "seen": {name: (pair[0], pair[1]) for name, pair in unpack(row["seen"]).items()}})
