"""Apps in the database."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, replace
from typing import Any

from wherry.errors import Conflict, NotFound
from wherry.model import build_settings, front
from wherry.model.app import App
from wherry.model.lock import Lock
from wherry.model.volume import Volume
from wherry.store.database import pack, unpack
from wherry.store.sealed import seal

JSON_COLUMNS = ("formation", "config", "restarts", "held", "limits", "checks", "mounts", "labels")
SELECT = """SELECT apps.*, coalesce((SELECT front FROM fronts WHERE app_id = apps.id), '{}') AS front,
 (SELECT json_group_array(host) FROM (SELECT host FROM domains WHERE app_id = apps.id ORDER BY id)) AS domains,
 (SELECT json_group_array(json(names)) FROM certificates WHERE app_id = apps.id AND state = 'active') AS certified,
 coalesce((SELECT config FROM global_config), '{}') AS shared,
 (SELECT json_group_array(json_object('id', id, 'app_id', app_id, 'name', name, 'source', source, 'shared', shared, 'size', size,
   'measured_at', measured_at, 'created_at', created_at, 'created_by', created_by))
  FROM (SELECT * FROM volumes WHERE app_id = apps.id ORDER BY name)) AS volumes FROM apps"""


def create(connection: sqlite3.Connection, name: str, actor: str, at: str) -> App:
    """Raises Conflict when the name is taken."""
    try:
        cursor = connection.execute("INSERT INTO apps (name, created_by, created_at) VALUES (?, ?, ?)", (name, actor, at))
    except sqlite3.IntegrityError as error:
        raise Conflict(f'app "{name}" exists already', code="name_taken", hint=f"See it with: wherry apps:info {name}") from error
    return App(id=int(cursor.lastrowid or 0), name=name, created_at=at, created_by=actor)


def get(connection: sqlite3.Connection, name: str) -> App:
    """Raises NotFound."""
    app = find(connection, name)
    if app is None:
        raise NotFound(f"no app {name[:40]!a}", code="no_such_app", hint="See yours with: wherry apps")
    return app


def by_id(connection: sqlite3.Connection, app_id: int) -> App:
    """The app as it is now, for who knows that it is there."""
    return _app(connection.execute(f"{SELECT} WHERE id = ?", (app_id,)).fetchone())


def find(connection: sqlite3.Connection, name: str) -> App | None:
    row = connection.execute(f"{SELECT} WHERE name = ?", (name,)).fetchone()
    return _app(row) if row else None


def every(connection: sqlite3.Connection) -> list[App]:
    return [_app(row) for row in connection.execute(f"{SELECT} ORDER BY name")]


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM apps").fetchone()[0])


def change(connection: sqlite3.Connection, app: App, **columns: Any) -> App:
    """Writes the named columns (`release`, `running`, `build`, `lock` and those of JSON_COLUMNS) and returns the app as it is now."""
    sets = ", ".join(f"{name} = ?" for name in columns)
    values = [_packed(connection, name, value) for name, value in columns.items()]
    connection.execute(f"UPDATE apps SET {sets} WHERE id = ?", (*values, app.id))
    return replace(app, **columns)


def rename(connection: sqlite3.Connection, app: App, name: str, subnet: int) -> App:
    """Gives the app another name and network; what waits in its queue comes along. Raises Conflict when the name is taken."""
    try:
        connection.execute("UPDATE apps SET name = ?, subnet = ? WHERE id = ?", (name, subnet, app.id))
    except sqlite3.IntegrityError as error:
        raise Conflict(f'app "{name}" exists already', code="name_taken", hint="Choose another name.") from error
    connection.execute("DELETE FROM instances WHERE app = ?", (app.name,))
    connection.execute("UPDATE operations SET app = ? WHERE app = ? AND state = 'queued'", (name, app.name))
    return get(connection, name)


def remove(connection: sqlite3.Connection, app: App) -> None:
    """Deletes the app with its builds and releases; operations and events stay as history."""
    connection.execute("DELETE FROM releases WHERE app_id = ?", (app.id,))
    connection.execute("DELETE FROM instances WHERE app = ?", (app.name,))
    connection.execute("DELETE FROM apps WHERE id = ?", (app.id,))


def subnet(connection: sqlite3.Connection, app: App) -> int | None:
    """The number of the app's subnet, None before it has one."""
    row = connection.execute("SELECT subnet FROM apps WHERE id = ?", (app.id,)).fetchone()
    return row["subnet"] if row else None


def subnets(connection: sqlite3.Connection) -> set[int]:
    """All subnet numbers in use."""
    return {row[0] for row in connection.execute("SELECT subnet FROM apps WHERE subnet IS NOT NULL")}


def give_subnet(connection: sqlite3.Connection, app: App, number: int) -> None:
    connection.execute("UPDATE apps SET subnet = ? WHERE id = ?", (number, app.id))


def _app(row: sqlite3.Row) -> App:
    return App(
        id=row["id"],
        name=row["name"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        release=row["release"],
        running=row["running"],
        build=build_settings.from_json(unpack(row["build"])),
        front=front.from_json(unpack(row["front"])),
        domains=tuple(unpack(row["domains"])),
        shared=unpack(row["shared"]),
        restart_policy=row["restart_policy"],
        lock=Lock(**unpack(row["lock"])) if row["lock"] != "{}" else None,
        volumes=tuple(Volume(**{**found, "shared": bool(found["shared"])}) for found in unpack(row["volumes"])),
        certified=tuple(name for names in unpack(row["certified"]) for name in names),
        **{name: unpack(row[name]) for name in JSON_COLUMNS},
    )


def _packed(connection: sqlite3.Connection, name: str, value: Any) -> Any:
    if name == "build":
        return seal(connection, pack(build_settings.to_json(value)))
    if name == "config":
        return seal(connection, pack(value))
    if name == "lock":
        return pack(asdict(value) if value else {})
    return pack(value) if name in JSON_COLUMNS else value
