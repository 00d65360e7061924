"""Databases of today's schema. All the migrations one after the other take 10 ms, and a thousand tests want a database."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from wherry.store.database import Database


def migrate(database: Database) -> None:
    """A new file is a copy of one that was migrated; an old one is migrated."""
    if not database.path.exists():
        database.path.parent.mkdir(parents=True, exist_ok=True)
        database.path.write_bytes(_migrated())
        database.key.ensure(database.path.stat().st_gid)
    database.migrate()


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder, "state", "wherry.db"))
        database.migrate()
        database.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        return database.path.read_bytes()
