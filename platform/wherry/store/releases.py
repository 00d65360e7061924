"""Releases in the database: rows are only ever added; how a release went is a row beside it."""

from __future__ import annotations

import sqlite3

from wherry.errors import NotFound
from wherry.model.app import App
from wherry.model.build import Build
from wherry.model.release import Release
from wherry.store import builds
from wherry.store.database import pack, unpack

SELECT = "SELECT releases.*, outcome, reason FROM releases LEFT JOIN release_outcomes ON release_id = releases.id"


def add(connection: sqlite3.Connection, app: App, build: Build, config: dict[str, str], description: str, actor: str, at: str) -> Release:
    """Numbers and stores a new release of `app`."""
    number = last_number(connection, app) + 1
    cursor = connection.execute(
        "INSERT INTO releases (app_id, number, build_id, config, description, actor, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (app.id, number, build.id, pack(config), description, actor, at),
    )
    return Release(int(cursor.lastrowid or 0), app.id, number, build, config, description, actor, at)


def record_outcome(connection: sqlite3.Connection, release: Release, outcome: str, reason: str, at: str) -> None:
    """Says once how the release went; a second word is not taken."""
    connection.execute("INSERT OR IGNORE INTO release_outcomes VALUES (?, ?, ?, ?)", (release.id, outcome, reason, at))


def get(connection: sqlite3.Connection, app: App, number: int) -> Release:
    """Raises NotFound naming the versions that exist."""
    row = connection.execute(f"{SELECT} WHERE app_id = ? AND number = ?", (app.id, number)).fetchone()
    if row is None:
        raise NotFound(f"no release v{number} ({_range(last_number(connection, app))})", code="no_such_release")
    return _release(connection, row)


def current(connection: sqlite3.Connection, app: App) -> Release | None:
    """The release that the app is wished to run, None before the first deploy."""
    return get(connection, app, app.release) if app.release is not None else None


def of_app(connection: sqlite3.Connection, app: App, limit: int = 50) -> list[Release]:
    """The newest first."""
    rows = connection.execute(f"{SELECT} WHERE app_id = ? ORDER BY number DESC LIMIT ?", (app.id, limit))
    return [_release(connection, row) for row in rows.fetchall()]


def before(connection: sqlite3.Connection, app: App, number: int) -> Release | None:
    """The newest release before `number` that went live: what `rollback` without a version means."""
    row = connection.execute(
        f"{SELECT} WHERE app_id = ? AND number < ? AND outcome = 'live' ORDER BY number DESC LIMIT 1", (app.id, number)
    ).fetchone()
    return _release(connection, row) if row else None


def last_number(connection: sqlite3.Connection, app: App) -> int:
    return int(connection.execute("SELECT coalesce(max(number), 0) FROM releases WHERE app_id = ?", (app.id,)).fetchone()[0])


def _range(last: int) -> str:
    return {0: "none yet: push first", 1: "only v1 exists"}.get(last, f"v1-v{last} exist")


def _release(connection: sqlite3.Connection, row: sqlite3.Row) -> Release:
    return Release(
        id=row["id"],
        app_id=row["app_id"],
        number=row["number"],
        build=builds.get(connection, row["build_id"]),
        config=unpack(row["config"]),
        description=row["description"],
        actor=row["actor"],
        created_at=row["created_at"],
        outcome=row["outcome"],
        reason=row["reason"] or "",
    )
