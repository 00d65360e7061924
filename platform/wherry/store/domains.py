"""Domains in the database: each belongs to one app."""

from __future__ import annotations

import sqlite3

from wherry.errors import Conflict, NotFound
from wherry.model.app import App


def add(connection: sqlite3.Connection, app: App, host: str, actor: str, at: str) -> None:
    """Raises Conflict when another app has it; one that the app has already is fine."""
    taken = owner(connection, host)
    if taken is None:
        connection.execute("INSERT INTO domains (host, app_id, created_at, created_by) VALUES (?, ?, ?, ?)", (host, app.id, at, actor))
    elif taken != app.name:
        raise Conflict(
            f"{host} is a domain of {taken}", code="domain_taken", hint=f"Take it away there: wherry domains:remove {taken} {host}"
        )


def remove(connection: sqlite3.Connection, app: App, host: str) -> None:
    """Raises NotFound when the app does not have it."""
    cursor = connection.execute("DELETE FROM domains WHERE app_id = ? AND host = ?", (app.id, host))
    if not cursor.rowcount:
        raise NotFound(f"{app.name} has no domain {host}", code="no_such_domain", hint=f"See them with: wherry domains {app.name}")


def owner(connection: sqlite3.Connection, host: str) -> str | None:
    """The name of the app whose domain this is, None when nobody's."""
    row = connection.execute("SELECT name FROM domains JOIN apps ON apps.id = app_id WHERE host = ?", (host,)).fetchone()
    return str(row["name"]) if row else None
