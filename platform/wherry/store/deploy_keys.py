"""Deploy keys in the database: one ed25519 pair per app, with which its source is fetched from a private remote."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from wherry.model.app import App
from wherry.secret import Secret
from wherry.store.sealed import seal


@dataclass(frozen=True)
class DeployKey:
    """`public` is one line as in `id_ed25519.pub`; `private` the text of an OpenSSH key file."""

    public: str
    private: Secret
    created_at: str


def find(connection: sqlite3.Connection, app: App) -> DeployKey | None:
    row = connection.execute("SELECT * FROM deploy_keys WHERE app_id = ?", (app.id,)).fetchone()
    return DeployKey(row["public"], Secret(row["private"]), row["created_at"]) if row else None


def add(connection: sqlite3.Connection, app: App, key: DeployKey) -> DeployKey:
    """Stores the app's key; one that was stored meanwhile stays, and is what is returned."""
    connection.execute(
        "INSERT OR IGNORE INTO deploy_keys (app_id, public, private, created_at) VALUES (?, ?, ?, ?)",
        (app.id, key.public, seal(connection, key.private.reveal()), key.created_at),
    )
    return find(connection, app) or key
