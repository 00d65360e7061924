"""The SQLite file: connections, transactions, migrations. Every other file of this room takes a connection.

WAL with synchronous=FULL, so a committed row survives a power cut; BEGIN IMMEDIATE, so a writer waits at the door
and never half-way. Migrations go forward only, by PRAGMA user_version, after a copy by VACUUM INTO.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from wherry import machine
from wherry.errors import Unavailable
from wherry.model import disk
from wherry.store import sealed
from wherry.store.sealed import Key, Keyed

Connection = sqlite3.Connection
"""The type that other rooms name when they pass a transaction on."""

MIGRATIONS = Path(__file__).parent / "migrations"
SEALING = "_seal"
"""How the migration is named where secrets were clear before and are sealed from then on."""
FORGET = MIGRATIONS / "forget_secrets.sql"
BUSY_TIMEOUT = 10.0


class Database:
    """One file, one connection per thread. Safe to share between threads; not across a fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key = Key(path.parents[1] / "secret.key")
        self._local = threading.local()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, opened on first use."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None or self._local.pid != os.getpid():
            found = self._local.connection = _open(self.path, self.key)
            self._local.pid = os.getpid()
        return found

    def changes(self) -> tuple[int, int]:
        """Another value than before once somebody else has written (sqlite.org/pragma.html#pragma_data_version), or to another thread."""
        return threading.get_ident(), int(self.connection().execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Closes this thread's connection."""
        found = getattr(self._local, "connection", None)
        if found is not None:
            found.close()
            self._local.connection = None

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view: all reads inside see the same moment."""
        connection = self.connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A short transaction: committed when the block ends, rolled back when it raises."""
        connection = self.connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorname.startswith("SQLITE_BUSY")
            raise Unavailable("the database is busy", hint="Try again in a moment.") if busy else self._not_written(error) from error
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise self._not_written(error) from error
            raise

    def _not_written(self, error: sqlite3.OperationalError) -> Unavailable:
        room = machine.room(self.path.parent)
        if room and room.free < disk.FULL:
            return disk.full(str(self.path.parent), room.free)
        return Unavailable(
            f"the database can not be written: {error}", code="database_down", hint="Look on the machine: sudo wherry doctor"
        )

    def migrate(self) -> list[str]:
        """Brings the schema up to date and returns the names of the migrations that ran. Copies the file first. Raises
        Unavailable when the key of what is sealed in it is not there; a database without secrets gets one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = self.connection()
        connection.execute("PRAGMA journal_mode = WAL")
        at = connection.execute("PRAGMA user_version").fetchone()[0]
        waiting = [(number, path) for number, path in migrations() if number > at]
        if at < _number_of(SEALING):
            self.key.ensure(self.path.stat().st_gid)
        connection.create_function("seal", 1, self.key.seal)
        if self.key.name and waiting and at:
            self._copy_before(at)
        for number, path in waiting:
            script = f"BEGIN IMMEDIATE; {path.read_text('utf-8')}; PRAGMA user_version = {number}; COMMIT;"
            connection.executescript(script)
        if at and any(path.stem.endswith(SEALING) for _, path in waiting):
            self.leave_no_old_secret()
        return [path.stem for _, path in waiting]

    def forget_secrets(self) -> None:
        """For who lost the key: all that was sealed is emptied, and a new key begins. What waits to be done fails."""
        with suppress(FileNotFoundError):
            self.key.path.replace(self.key.path.with_suffix(".lost"))
        self.key.ensure(self.path.stat().st_gid)
        self.connection().executescript(f"BEGIN IMMEDIATE; {FORGET.read_text('utf-8')}; COMMIT;")

    def leave_no_old_secret(self) -> None:
        """Pages that were freed, the journal and copies of the file still hold what was clear, or sealed with a key that is no more."""
        connection = self.connection()
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for copy in self.path.parent.glob(f"{self.path.stem}.before-*.db*"):
            copy.unlink()

    def version(self) -> int:
        """The number of the last migration that this file has seen."""
        return int(self.connection().execute("PRAGMA user_version").fetchone()[0])

    def faults(self) -> list[str]:
        """What is wrong with the file, as SQLite tells; empty for a whole one. Reads all of it."""
        try:
            rows = self.connection().execute("PRAGMA integrity_check(20)").fetchall()
            broken = self.connection().execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError as error:
            return [str(error)]
        found = [str(row[0]) for row in rows if row[0] != "ok"]
        return [*found, *(f"a row of {row[0]} points to a row of {row[2]} that is not there" for row in broken)]

    def _copy_before(self, version: int) -> None:
        target = self.path.with_suffix(f".before-{version + 1}.db")
        target.unlink(missing_ok=True)
        self.connection().execute("VACUUM INTO ?", (str(target),))


def migrations() -> list[tuple[int, Path]]:
    """All known migrations in order, as (number, file)."""
    found = [(int(re.match(r"[0-9]+", path.name)[0]), path) for path in MIGRATIONS.glob("[0-9]*.sql")]  # type: ignore[index]
    return sorted(found)


def _number_of(name: str) -> int:
    return next(number for number, path in migrations() if path.stem.endswith(name))


def pack(value: Any) -> str:
    """JSON for a column; stable key order, so that equal values are equal text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def unpack(text: str) -> Any:
    return json.loads(text)


def _open(path: Path, key: Key) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, factory=Keyed)
    except sqlite3.OperationalError as error:
        raise Unavailable(f"the database {path} can not be opened: {error}", hint="Is the platform set up? Run: sudo scripts/up") from error
    connection.key = key
    connection.row_factory = sealed.row
    for pragma in ("foreign_keys = ON", "synchronous = FULL", "cache_size = -1024", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
