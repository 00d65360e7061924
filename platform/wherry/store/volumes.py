"""Volumes in the database: each belongs to one app. What is in them is at the container engine."""

from __future__ import annotations

import sqlite3

from wherry.errors import Conflict, NotFound
from wherry.model.app import App
from wherry.model.volume import Volume

FIELDS = "id, app_id, name, source, shared, created_at, created_by, size, measured_at"


def add(connection: sqlite3.Connection, app: App, name: str, source: str, shared: bool, actor: str, at: str) -> None:
    """Raises Conflict when the app has one of this name."""
    row = (app.id, name, source, shared, at, actor)
    try:
        connection.execute("INSERT INTO volumes (app_id, name, source, shared, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?)", row)
    except sqlite3.IntegrityError as error:
        hint = f"Mount it: wherry storage:mount {app.name} {name}:/app/{name}"
        raise Conflict(f"{app.name} has a volume {name} already", code="name_taken", hint=hint) from error


def get(app: App, name: str) -> Volume:
    """The app's volume of that name. Raises NotFound."""
    for volume in app.volumes:
        if volume.name == name:
            return volume
    raise NotFound(f"{app.name} has no volume {name[:40]!a}", code="no_such_volume", hint=f"See them with: wherry storage:list {app.name}")


def every(connection: sqlite3.Connection) -> list[Volume]:
    rows = connection.execute(f"SELECT {FIELDS} FROM volumes ORDER BY id")
    return [Volume(**{**dict(row), "shared": bool(row["shared"])}) for row in rows]


def share(connection: sqlite3.Connection, volume: Volume, shared: bool) -> None:
    connection.execute("UPDATE volumes SET shared = ? WHERE id = ?", (shared, volume.id))


def measured(connection: sqlite3.Connection, volume: Volume, size: int, at: str) -> None:
    """One that is gone meanwhile is fine."""
    connection.execute("UPDATE volumes SET size = ?, measured_at = ? WHERE id = ?", (size, at, volume.id))


def remove(connection: sqlite3.Connection, volume: Volume) -> None:
    connection.execute("DELETE FROM volumes WHERE id = ?", (volume.id,))
