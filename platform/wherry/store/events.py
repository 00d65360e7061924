"""Events in the database: appended in the transaction of the change they tell of, never changed."""

from __future__ import annotations

import sqlite3
from typing import Any

from wherry.model.event import Event, Wanted
from wherry.model.user import Actor
from wherry.store.database import pack, unpack

EVERY = Wanted()
CONDITIONS = {
    "app": "app = :app",
    "actor": "actor = :actor",
    "type": "(type = :type OR substr(type, 1, length(:type) + 1) = :type || '.')",
}


def add(connection: sqlite3.Connection, actor: Actor, event_type: str, app: str | None, at: str, **data: Any) -> None:
    connection.execute(
        "INSERT INTO events (at, actor, via, app, type, data) VALUES (?, ?, ?, ?, ?, ?)",
        (at, actor.name, actor.via, app, event_type, pack(data)),
    )


def recent(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> list[Event]:
    """The newest `limit` of those that are `wanted`, the newest first."""
    return _found(connection, wanted, "(:before IS NULL OR id < :before)", "DESC", limit)


def since(connection: sqlite3.Connection, event_id: int, wanted: Wanted = EVERY, limit: int = 100) -> list[Event]:
    """The first `limit` after `event_id` that are `wanted`, the oldest first."""
    return _found(connection, wanted, "id > :after", "ASC", limit, after=event_id)


def forget_old(connection: sqlite3.Connection, before: str, keep: int) -> int:
    """Deletes what happened before the moment `before`, but never one of the newest `keep`; returns how many went."""
    where = "at < ? AND id <= (SELECT coalesce(max(id), 0) FROM events) - ?"
    return connection.execute(f"DELETE FROM events WHERE {where}", (before, keep)).rowcount


def _found(connection: sqlite3.Connection, wanted: Wanted, where: str, order: str, limit: int, **more: Any) -> list[Event]:
    values = {"app": wanted.app, "actor": wanted.actor, "type": wanted.type, "before": wanted.before, "limit": limit, **more}
    conditions = [where, *(condition for name, condition in CONDITIONS.items() if values[name] is not None)]
    rows = connection.execute(f"SELECT * FROM events WHERE {' AND '.join(conditions)} ORDER BY id {order} LIMIT :limit", values)
    return [_event(row) for row in rows]


def _event(row: sqlite3.Row) -> Event:
    return Event(row["id"], row["at"], row["actor"], row["via"], row["app"], row["type"], unpack(row["data"]))
