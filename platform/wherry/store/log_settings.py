"""What each app wishes of its log, in the database. An app without a row takes the defaults."""

from __future__ import annotations

import sqlite3

from wherry.model import log_settings as rules
from wherry.model.app import App
from wherry.model.log_settings import LogSettings
from wherry.store.database import pack, unpack


def of(connection: sqlite3.Connection, app: App) -> LogSettings:
    row = connection.execute("SELECT settings FROM log_settings WHERE app_id = ?", (app.id,)).fetchone()
    return rules.from_json(unpack(row["settings"])) if row else LogSettings()


def every(connection: sqlite3.Connection) -> dict[str, LogSettings]:
    """Those of all apps that there are, by name."""
    rows = connection.execute("SELECT name, coalesce(settings, '{}') AS settings FROM apps LEFT JOIN log_settings ON app_id = id")
    return {row["name"]: rules.from_json(unpack(row["settings"])) for row in rows}


def put(connection: sqlite3.Connection, app: App, settings: LogSettings) -> None:
    connection.execute(
        "INSERT INTO log_settings (app_id, settings) VALUES (?, ?) ON CONFLICT (app_id) DO UPDATE SET settings = excluded.settings",
        (app.id, pack(rules.to_json(settings))),
    )
