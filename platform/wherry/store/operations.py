"""Operations in the database: a queue with one running operation per app, and the history of all that ended."""

from __future__ import annotations

import sqlite3
from typing import Any

from wherry.errors import NotFound
from wherry.model.operation import Operation
from wherry.store.database import pack, unpack
from wherry.store.sealed import seal


def add(connection: sqlite3.Connection, app: str, kind: str, actor: str, payload: dict[str, Any], at: str) -> Operation:
    """Queues a wish."""
    cursor = connection.execute(
        "INSERT INTO operations (app, kind, actor, payload, created_at) VALUES (?, ?, ?, ?, ?)",
        (app, kind, actor, seal(connection, pack(payload)), at),
    )
    return get(connection, int(cursor.lastrowid or 0))


def get(connection: sqlite3.Connection, operation_id: int) -> Operation:
    """Raises NotFound."""
    row = connection.execute("SELECT * FROM operations WHERE id = ?", (operation_id,)).fetchone()
    if row is None:
        raise NotFound(f"no operation {operation_id}", code="no_such_operation", hint="See them with: wherry operations")
    return _operation(row)


def recent(connection: sqlite3.Connection, app: str | None = None, limit: int = 30) -> list[Operation]:
    """The newest first."""
    where, values = ("WHERE app = ?", (app, limit)) if app else ("", (limit,))
    return [_operation(row) for row in connection.execute(f"SELECT * FROM operations {where} ORDER BY id DESC LIMIT ?", values)]


def waiting(connection: sqlite3.Connection) -> list[Operation]:
    """The oldest queued operation of each app that has none running."""
    rows = connection.execute(
        "SELECT * FROM operations WHERE id IN (SELECT min(id) FROM operations WHERE state = 'queued' GROUP BY app)"
        " AND app NOT IN (SELECT app FROM operations WHERE state = 'running') ORDER BY id"
    )
    return [_operation(row) for row in rows]


def open_of_app(connection: sqlite3.Connection, app: str) -> list[Operation]:
    """Queued and running operations of an app, the oldest first."""
    rows = connection.execute("SELECT * FROM operations WHERE app = ? AND state IN ('queued', 'running') ORDER BY id", (app,))
    return [_operation(row) for row in rows]


def unfinished(connection: sqlite3.Connection) -> list[Operation]:
    """Queued and running operations of all apps, the oldest first."""
    return [_operation(row) for row in connection.execute("SELECT * FROM operations WHERE state IN ('queued', 'running') ORDER BY id")]


def with_log(connection: sqlite3.Connection, builds: int, others: int) -> set[int]:
    """The operations whose logs are kept: all that are open, and of each app the latest `builds` deploys and `others` of the rest."""
    rows = connection.execute(
        "SELECT id FROM (SELECT id, state, kind, row_number() OVER (PARTITION BY app, kind = 'deploy' ORDER BY id DESC) AS place"
        " FROM operations) WHERE state IN ('queued', 'running') OR place <= iif(kind = 'deploy', ?, ?)",
        (builds, others),
    )
    return {row[0] for row in rows}


def claim(connection: sqlite3.Connection, operation: Operation, owner: str, at: str) -> bool:
    """Makes `owner` its runner; False when another was faster."""
    cursor = connection.execute(
        "UPDATE operations SET state = 'running', owner = ?, attempts = attempts + 1, started_at = coalesce(started_at, ?)"
        " WHERE id = ? AND state = 'queued'",
        (owner, at, operation.id),
    )
    return cursor.rowcount == 1


def progress(connection: sqlite3.Connection, operation: Operation, **facts: Any) -> None:
    """Adds facts that a later owner may rely on."""
    known = get(connection, operation.id).progress
    connection.execute("UPDATE operations SET progress = ? WHERE id = ?", (pack({**known, **facts}), operation.id))


def finish(
    connection: sqlite3.Connection,
    operation: Operation,
    state: str,
    at: str,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """Ends an operation; one that has ended stays as it is."""
    connection.execute(
        "UPDATE operations SET state = ?, finished_at = ?, result = ?, error = ?, owner = NULL"
        " WHERE id = ? AND state IN ('queued', 'running')",
        (state, at, pack(result or {}), pack(error) if error else None, operation.id),
    )


def orphans(connection: sqlite3.Connection, owner: str) -> list[Operation]:
    """Running operations whose owner is not `owner`: their process died."""
    return [
        _operation(row)
        for row in connection.execute("SELECT * FROM operations WHERE state = 'running' AND owner <> ? ORDER BY id", (owner,))
    ]


def requeue(connection: sqlite3.Connection, operation: Operation) -> None:
    connection.execute("UPDATE operations SET state = 'queued', owner = NULL WHERE id = ? AND state = 'running'", (operation.id,))


def _operation(row: sqlite3.Row) -> Operation:
    return Operation(
        id=row["id"],
        app=row["app"],
        kind=row["kind"],
        actor=row["actor"],
        state=row["state"],
        payload=unpack(row["payload"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        owner=row["owner"],
        attempts=row["attempts"],
        progress=unpack(row["progress"]),
        result=unpack(row["result"]),
        error=unpack(row["error"]) if row["error"] else None,
    )
