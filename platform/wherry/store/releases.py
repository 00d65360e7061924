"""Releases in the database: rows are only ever added; how a release went is a row beside it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from wherry.errors import NotFound
from wherry.model.app import App
from wherry.model.build import Build
from wherry.model.release import Release, code_of
from wherry.model.shape import from_json, shape_of, to_json
from wherry.model.user import Actor
from wherry.store import apps, builds, events
from wherry.store.database import pack, unpack
from wherry.store.sealed import seal

BAD = "(SELECT release FROM bakes WHERE app_id = ? AND state = 'bad')"
"""Those that went back by themselves."""
SELECT = "SELECT releases.*, outcome, reason FROM releases LEFT JOIN release_outcomes ON release_id = releases.id"


def add(
    connection: sqlite3.Connection,
    app: App,
    build: Build,
    config: dict[str, str],
    description: str,
    actor: str,
    at: str,
    operation: int | None = None,
    environment: dict[str, str] | None = None,
) -> Release:
    """Numbers and stores a new release of `app`, with the shape that `app` has as it is given. `config` are the app's own
    config vars; the global ones of today come below them, unless `environment` says what is in force (a rollback)."""
    number, own = last_number(connection, app) + 1, replace(app, config=config)
    config = own.environment if environment is None else environment
    shape = replace(shape_of(own, build), global_keys=tuple(sorted(config.keys() - own.config.keys())))
    cursor = connection.execute(
        "INSERT INTO releases (app_id, number, build_id, config, description, actor, created_at, shape, operation)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (app.id, number, build.id, seal(connection, pack(config)), description, actor, at, pack(to_json(shape)), operation),
    )
    return Release(int(cursor.lastrowid or 0), app.id, number, build, config, description, actor, at, shape=shape, operation=operation)


def record_outcome(connection: sqlite3.Connection, release: Release, outcome: str, reason: str, at: str) -> None:
    """Says once how the release went; a second word is not taken. What changed meanwhile becomes releases of its own now."""
    connection.execute("INSERT OR IGNORE INTO release_outcomes VALUES (?, ?, ?, ?)", (release.id, outcome, reason, at))
    waiting = connection.execute("SELECT * FROM waiting_changes WHERE app_id = ? ORDER BY id", (release.app_id,)).fetchall()
    connection.execute("DELETE FROM waiting_changes WHERE app_id = ?", (release.app_id,))
    for row in waiting:
        _record(connection, Actor(row["actor"], "admin", row["via"]), apps.by_id(connection, release.app_id), row["description"], at)


def record_change(
    connection: sqlite3.Connection, actor: Actor, app: App, description: str, at: str, operation: int | None = None
) -> Release | None:
    """Makes a release of a change that leaves instances alone or that they have followed already (a scale, a domain).

    Call it in the transaction that commits the change, after it, so that a change and its release are true together.
    `description` says what changed for people, without secrets, e.g. `Scale web 1 -> 3`. The instances keep the release
    that they carry. None when there is nothing to release: before the first deploy, when nothing of the shape or the
    config changed, and while another release is under way; then the change becomes the release after that one. What needs
    new instances is not for here: `reconciler.switch.new_release` and `go_live`.
    """
    app, present = apps.by_id(connection, app.id), current(connection, app)
    if present is None or (shape_of(app, present.build), app.environment) == (present.shape, present.config):
        return None
    if _under_way(connection, app):
        connection.execute(
            "INSERT INTO waiting_changes (app_id, actor, via, description) VALUES (?, ?, ?, ?)",
            (app.id, actor.name, actor.via, description),
        )
        return None
    return _record(connection, actor, app, description, at, operation)


def under_way(connection: sqlite3.Connection, app: App, number: int | None) -> Release | None:
    """The release with this number if it is not known yet how it went."""
    row = connection.execute(f"{SELECT} WHERE app_id = ? AND number = ? AND outcome IS NULL", (app.id, number)).fetchone()
    return _release(connection, row) if row else None


def get(connection: sqlite3.Connection, app: App, number: int) -> Release:
    """Raises NotFound naming the versions that exist."""
    row = connection.execute(f"{SELECT} WHERE app_id = ? AND number = ?", (app.id, number)).fetchone()
    if row is None:
        first = connection.execute("SELECT coalesce(min(number), 0) FROM releases WHERE app_id = ?", (app.id,)).fetchone()[0]
        raise NotFound(f"no release v{number} ({_range(first, last_number(connection, app))})", code="no_such_release")
    return _release(connection, row)


def current(connection: sqlite3.Connection, app: App) -> Release | None:
    """The release that the app is wished to run, None before the first deploy."""
    return get(connection, app, app.release) if app.release is not None else None


def running(connection: sqlite3.Connection, app: App) -> Release | None:
    """The release whose code the instances carry (see `App.running`), None before the first deploy."""
    return get(connection, app, app.running) if app.running is not None else None


def of_app(connection: sqlite3.Connection, app: App, limit: int = 50) -> list[Release]:
    """The newest first."""
    rows = connection.execute(f"{SELECT} WHERE app_id = ? ORDER BY number DESC LIMIT ?", (app.id, limit))
    return [_release(connection, row) for row in rows.fetchall()]


def before(connection: sqlite3.Connection, app: App, release: Release) -> Release | None:
    """The newest live release before `release` with other code, and not known to be bad: what `rollback` without a version
    means."""
    rows = connection.execute(
        f"{SELECT} WHERE app_id = ? AND number < ? AND outcome = 'live' AND number NOT IN {BAD} ORDER BY number DESC",
        (app.id, release.number, app.id),
    )
    earlier = (_release(connection, row) for row in rows.fetchall())
    return next((found for found in earlier if code_of(found) != code_of(release)), None)


def live_before(connection: sqlite3.Connection, app: App, number: int) -> Release | None:
    """The newest live release before `number`, whatever it changed."""
    row = connection.execute(
        f"{SELECT} WHERE app_id = ? AND number < ? AND outcome = 'live' ORDER BY number DESC LIMIT 1", (app.id, number)
    ).fetchone()
    return _release(connection, row) if row else None


def expired(connection: sqlite3.Connection, app: App, keep: int) -> list[Release]:
    """Those beyond the newest `keep` that nothing needs: not the current one, not the one whose code instances carry, not
    the one that a rollback without a version would take."""
    present = current(connection, app)
    target = before(connection, app, present) if present else None
    needed = {app.release, app.running, target.number if target else None}
    rows = connection.execute(f"{SELECT} WHERE app_id = ? ORDER BY number DESC LIMIT -1 OFFSET ?", (app.id, keep)).fetchall()
    return [_release(connection, row) for row in rows if row["number"] not in needed]


def remove(connection: sqlite3.Connection, release: Release) -> None:
    """Lets a release go; its build goes with the last release of it, and the image with that (see `builds.images`)."""
    connection.execute("DELETE FROM releases WHERE id = ?", (release.id,))
    connection.execute("DELETE FROM builds WHERE id = ? AND id NOT IN (SELECT build_id FROM releases)", (release.build.id,))


def operations(connection: sqlite3.Connection) -> set[int]:
    """The operations that made the releases that are kept: their logs are kept with them (`releases:output`)."""
    return {row[0] for row in connection.execute("SELECT operation FROM releases WHERE operation IS NOT NULL")}


def last_number(connection: sqlite3.Connection, app: App) -> int:
    return int(connection.execute("SELECT coalesce(max(number), 0) FROM releases WHERE app_id = ?", (app.id,)).fetchone()[0])


def _record(
    connection: sqlite3.Connection, actor: Actor, app: App, description: str, at: str, operation: int | None = None
) -> Release | None:
    present = current(connection, app)
    if present is None:
        return None
    release = add(connection, app, present.build, app.config, description, actor.name, at, operation)
    connection.execute("INSERT INTO release_outcomes VALUES (?, 'live', '', ?)", (release.id, at))
    apps.change(connection, app, release=release.number)
    events.add(connection, actor, "release.created", app.name, at, release=release.version, description=description)
    events.add(connection, actor, "release.live", app.name, at, release=release.version)
    return release


def _under_way(connection: sqlite3.Connection, app: App) -> bool:
    working = connection.execute("SELECT progress FROM operations WHERE app = ? AND state IN ('queued', 'running')", (app.name,))
    return any(under_way(connection, app, unpack(row["progress"]).get("release")) for row in working.fetchall())


def _range(first: int, last: int) -> str:
    if not last:
        return "none yet: push first"
    return f"only v{last} exists" if first == last else f"v{first}-v{last} exist"


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
        shape=from_json(unpack(row["shape"])),
        operation=row["operation"],
    )
