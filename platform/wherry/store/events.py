"""Events in the database: appended in the transaction of the change they tell of, never changed."""

from __future__ import annotations

import sqlite3
from typing import Any

from wherry.model.event import Event
from wherry.model.user import Actor
from wherry.store.database import pack, unpack


def add(connection: sqlite3.Connection, actor: Actor, event_type: str, app: str | None, at: str, **data: Any) -> None:
    connection.execute(
        "INSERT INTO events (at, actor, via, app, type, data) VALUES (?, ?, ?, ?, ?, ?)",
        (at, actor.name, actor.via, app, event_type, pack(data)),
    )


def since(connection: sqlite3.Connection, event_id: int, app: str | None = None, limit: int = 100) -> list[Event]:
    """Events after `event_id`, the oldest first."""
    where, values = ("id > ? AND app = ?", (event_id, app, limit)) if app else ("id > ?", (event_id, limit))
    return [_event(row) for row in connection.execute(f"SELECT * FROM events WHERE {where} ORDER BY id LIMIT ?", values)]


def _event(row: sqlite3.Row) -> Event:
    return Event(row["id"], row["at"], row["actor"], row["via"], row["app"], row["type"], unpack(row["data"]))
