"""Builds in the database: those that made an image, and as operations also those that did not."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, replace

from wherry.errors import NotFound
from wherry.model import build_settings, check
from wherry.model.app import App
from wherry.model.build import Build, BuildRecord
from wherry.model.cron import CronTask
from wherry.model.operation import Operation
from wherry.store import operations
from wherry.store.database import pack, unpack
from wherry.store.sealed import seal

BUILDS = "kind = 'deploy' AND NOT (state = 'succeeded' AND json_extract(progress, '$.build') IS NULL)"
"""Which operations are builds: all deploys but those that found the same running already."""


def add(connection: sqlite3.Connection, build: Build) -> Build:
    """Stores `build` (its id is ignored) and returns it with its id. An image that was gone and is built again is there again."""
    connection.execute("UPDATE builds SET gone = '' WHERE image = ?", (build.image,))
    cursor = connection.execute(
        'INSERT INTO builds (app_id, "commit", tree, buildpack, image, size,'
        " processes, checks, formation, root, port, created_at, settings, origin, scripts, cron, sizes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            build.app_id, build.commit, build.tree, build.buildpack, build.image, build.size,
            pack(build.processes), pack(check.to_json(build.checks)), pack(build.formation), build.root, build.port, build.created_at,
            seal(connection, pack(build_settings.to_json(build.settings))), build.origin, pack(build.scripts),
            pack([asdict(task) for task in build.cron]),
            pack(build.sizes),
        ),
    )  # fmt: skip
    return replace(build, id=int(cursor.lastrowid or 0))


def get(connection: sqlite3.Connection, build_id: int) -> Build:
    return _build(connection.execute("SELECT * FROM builds WHERE id = ?", (build_id,)).fetchone())


def records(connection: sqlite3.Connection, app: str | None = None, limit: int = 30) -> list[BuildRecord]:
    """Builds of one app or of all, the newest first: whatever was to be built, and how it went."""
    rows = connection.execute(
        f"SELECT id FROM operations WHERE {BUILDS} AND (? IS NULL OR app = ?) ORDER BY id DESC LIMIT ?", (app, app, limit)
    ).fetchall()
    return [_record(connection, operations.get(connection, row["id"])) for row in rows]


def record(connection: sqlite3.Connection, number: int) -> BuildRecord:
    """Raises NotFound."""
    row = connection.execute(f"SELECT id FROM operations WHERE {BUILDS} AND id = ?", (number,)).fetchone()
    if row is None:
        raise NotFound(f"no build {number}", code="no_such_build", hint="See them with: wherry builds APP")
    return _record(connection, operations.get(connection, number))


def _record(connection: sqlite3.Connection, operation: Operation) -> BuildRecord:
    row = connection.execute("SELECT * FROM builds WHERE id = ?", (operation.progress.get("build"),)).fetchone()
    return BuildRecord(operation, _build(row) if row else None)


def images(connection: sqlite3.Connection, app: App | None = None) -> set[str]:
    """Every image that a release, of `app` or of any, may be rolled back to."""
    of_app, values = ("", ()) if app is None else (" AND app_id = ?", (app.id,))
    return {row[0] for row in connection.execute(f"SELECT DISTINCT image FROM builds WHERE gone = ''{of_app}", values)}


def newest(connection: sqlite3.Connection, app: App, limit: int = 5) -> tuple[str, ...]:
    """The images of the app's last builds that are still kept, the newest first, each once."""
    rows = connection.execute(
        "SELECT image FROM builds WHERE app_id = ? AND gone = '' GROUP BY image ORDER BY max(id) DESC LIMIT ?", (app.id, limit)
    )
    return tuple(row[0] for row in rows)


def let_go(connection: sqlite3.Connection, image: str, at: str) -> None:
    """Says that an image is not kept any more, for want of room."""
    connection.execute("UPDATE builds SET gone = ? WHERE image = ?", (at, image))


def only_of(connection: sqlite3.Connection, app: App) -> set[str]:
    """The images of an app that no other app has: equal sources give equal images."""
    rows = connection.execute(
        "SELECT image FROM builds WHERE app_id = ? EXCEPT SELECT image FROM builds WHERE app_id <> ?", (app.id, app.id)
    )
    return {row[0] for row in rows}


def _build(row: sqlite3.Row) -> Build:
    return Build(
        id=row["id"],
        app_id=row["app_id"],
        commit=row["commit"],
        tree=row["tree"],
        buildpack=row["buildpack"],
        image=row["image"],
        size=row["size"],
        processes=unpack(row["processes"]),
        created_at=row["created_at"],
        checks=check.from_json(unpack(row["checks"])),
        formation=unpack(row["formation"]),
        root=bool(row["root"]),
        port=row["port"],
        settings=build_settings.from_json(unpack(row["settings"])),
        origin=row["origin"],
        scripts=unpack(row["scripts"]),
        cron=tuple(CronTask(**task) for task in unpack(row["cron"])),
        sizes=unpack(row["sizes"]),
        gone=row["gone"],
    )
