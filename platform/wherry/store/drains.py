"""Log drains in the database."""

from __future__ import annotations

import sqlite3

from wherry.errors import Conflict
from wherry.model.app import App
from wherry.model.drain import Drain
from wherry.secret import Secret
from wherry.store.sealed import seal

SELECT = "SELECT drains.*, apps.name AS app FROM drains JOIN apps ON apps.id = app_id"


def add(connection: sqlite3.Connection, app: App, url: str, token: str, actor: str, at: str) -> Drain:
    """Raises Conflict when the app has that drain already."""
    if any(drain.url.reveal() == url for drain in of_app(connection, app)):
        raise Conflict(f"{app.name} drains there already", code="drain_taken", hint=f"See it with: wherry drains {app.name}")
    cursor = connection.execute(
        "INSERT INTO drains (app_id, url, token, created_at, created_by, since) VALUES (?, ?, ?, ?, ?, ?)",
        (app.id, seal(connection, url), token, at, actor, at),
    )
    return Drain(int(cursor.lastrowid or 0), app.name, Secret(url), token, at, actor, since=at)


def of_app(connection: sqlite3.Connection, app: App) -> list[Drain]:
    return [_drain(row) for row in connection.execute(f"{SELECT} WHERE app_id = ? ORDER BY drains.id", (app.id,))]


def every(connection: sqlite3.Connection) -> list[Drain]:
    return [_drain(row) for row in connection.execute(f"{SELECT} ORDER BY drains.id")]


def remove(connection: sqlite3.Connection, drain: Drain) -> None:
    connection.execute("DELETE FROM drains WHERE id = ?", (drain.id,))


def note(connection: sqlite3.Connection, drain: Drain, state: str, detail: str, at: str) -> None:
    """How it goes. A drain that was removed is fine."""
    connection.execute("UPDATE drains SET state = ?, detail = ?, since = ? WHERE id = ?", (state, detail, at, drain.id))


def _drain(row: sqlite3.Row) -> Drain:
    return Drain(
        row["id"],
        row["app"],
        Secret(row["url"]),
        row["token"],
        row["created_at"],
        row["created_by"],
        row["state"],
        row["detail"],
        row["since"],
    )
