"""Instances in the database: what the engine last saw, for those who may not ask Docker."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict

from wherry.model.instance import Instance

COLUMNS = (
    "app",
    "type",
    "index",
    "release",
    "state",
    "since",
    "container",
    "address",
    "restarts",
    "detail",
    "memory",
    "memory_limit",
    "cpu",
    "next_try",
)


def put(connection: sqlite3.Connection, instance: Instance) -> None:
    """Writes what was seen over what was known of the same `app`, `type` and `index`."""
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    values = asdict(instance)
    connection.execute(
        f"INSERT OR REPLACE INTO instances ({names}) VALUES ({', '.join('?' * len(COLUMNS))})", [values[name] for name in COLUMNS]
    )


def of_app(connection: sqlite3.Connection, app: str) -> list[Instance]:
    """Sorted as people read them: web first, then by name and number."""
    rows = connection.execute("SELECT * FROM instances WHERE app = ? ORDER BY type <> 'web', type, \"index\"", (app,))
    return [_instance(row) for row in rows]


def every(connection: sqlite3.Connection) -> list[Instance]:
    return [_instance(row) for row in connection.execute("SELECT * FROM instances ORDER BY app, type <> 'web', type, \"index\"")]


def sample(connection: sqlite3.Connection, container: str, memory: int, memory_limit: int, cpu: float | None) -> None:
    """Writes a measurement of the instance that runs in `container`."""
    connection.execute(
        "UPDATE instances SET memory = ?, memory_limit = ?, cpu = ? WHERE container = ?", (memory, memory_limit, cpu, container)
    )


def tell(connection: sqlite3.Connection, container: str, detail: str) -> None:
    """Writes what is to be said of the instance that runs in `container`, and nothing else of it."""
    connection.execute("UPDATE instances SET detail = ? WHERE container = ?", (detail, container))


def remove(connection: sqlite3.Connection, app: str, process_type: str, index: int) -> None:
    connection.execute('DELETE FROM instances WHERE app = ? AND type = ? AND "index" = ?', (app, process_type, index))


def _instance(row: sqlite3.Row) -> Instance:
    return Instance(**{name: row[name] for name in COLUMNS})
