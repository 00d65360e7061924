"""Fronts in the database: how each app meets visitors, its own maintenance page, and what of it the proxy has taken up."""

from __future__ import annotations

import sqlite3

from wherry.model import front as fronts
from wherry.model.app import App
from wherry.model.front import Front
from wherry.store.database import pack


def put(connection: sqlite3.Connection, app: App, front: Front) -> None:
    _set(connection, app.id, "front", pack(fronts.to_json(front)))


def put_page(connection: sqlite3.Connection, app: App, html: str) -> None:
    _set(connection, app.id, "page", html)


def page(connection: sqlite3.Connection, app: str) -> str:
    """The owner's maintenance page, empty when there is none."""
    return _of(connection, app, "page")


def published(connection: sqlite3.Connection, app: str) -> str:
    """The fingerprint of the front that the proxy took up last."""
    return _of(connection, app, "published")


def put_published(connection: sqlite3.Connection, app: str, fingerprint: str) -> None:
    """An app that is gone is fine."""
    row = connection.execute("SELECT id FROM apps WHERE name = ?", (app,)).fetchone()
    if row:
        _set(connection, row["id"], "published", fingerprint)


def _of(connection: sqlite3.Connection, app: str, column: str) -> str:
    row = connection.execute(f"SELECT {column} FROM fronts JOIN apps ON apps.id = app_id WHERE name = ?", (app,)).fetchone()
    return str(row[0]) if row else ""


def _set(connection: sqlite3.Connection, app_id: int, column: str, value: str) -> None:
    insert = f"INSERT INTO fronts (app_id, {column}) VALUES (?, ?) ON CONFLICT (app_id) DO UPDATE SET {column} = excluded.{column}"
    connection.execute(insert, (app_id, value))
