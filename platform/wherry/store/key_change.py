"""Seals all secrets of a database anew with a fresh key, while the platform works.

    the file holds new + old ──▶ one transaction seals every row with the new ──▶ the file holds new

Who dies in between leaves a file that opens every row; the next change goes on there. Rows are sealed inside of write transactions,
and so before or after ours: none is missed.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from wherry.model.user import Actor
from wherry.store import events
from wherry.store.database import Database
from wherry.store.sealed import COLUMNS, MARK

TRIGGER = "releases_are_never_edited"


def change(database: Database, actor: Actor, at: str) -> int:
    """Returns how many values were sealed anew. Raises Unavailable when the key is not there or a row does not open."""
    group = database.path.stat().st_gid
    database.key.begin_change(group)
    count = seal_anew(database, actor, at)
    database.key.end_change(group)
    with suppress(sqlite3.OperationalError):  # somebody writes all the time: what was freed is sealed with a key that is gone
        database.leave_no_old_secret()
    return count


def seal_anew(database: Database, actor: Actor, at: str) -> int:
    """Seals every row with the first key of the file: all or none."""
    database.connection().create_function("reseal", 1, database.key.reseal)
    with database.write() as connection:
        trigger = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (TRIGGER,)).fetchone()["sql"]
        connection.execute(f"DROP TRIGGER {TRIGGER}")  # what a release says stays the same
        count = sum(_seal_column(connection, table, column) for table, column in sealed_columns(connection))
        connection.execute(trigger)
        events.add(connection, actor, "secrets.rotated", None, at, values=count)
    return count


def _seal_column(connection: sqlite3.Connection, table: str, column: str) -> int:
    found = connection.execute(f'UPDATE "{table}" SET "{column}" = reseal("{column}") WHERE "{column}" LIKE ?', (f"{MARK}%",))
    return found.rowcount


def sealed_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Every (table, column) that may hold what is sealed."""
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table'"
    rows = connection.execute(f"SELECT m.name AS tbl, p.name AS col FROM ({tables}) AS m JOIN pragma_table_info(m.name) AS p ORDER BY 1, 2")
    return [(row["tbl"], row["col"]) for row in rows if row["col"] in COLUMNS]
