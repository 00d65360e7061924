"""Runs in the database: the wish of a person, and how it went. The latest hundred of each app are kept."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, replace

from wherry.errors import NotFound
from wherry.model.app import App
from wherry.model.run import Run, Screen
from wherry.store.database import pack, unpack

SELECT = "SELECT runs.*, apps.name AS app FROM runs JOIN apps ON apps.id = app_id"
KEPT = 100


def add(connection: sqlite3.Connection, app: App, run: Run, ticket: str | None) -> Run:
    """Numbers and stores a new run of `app`; `ticket` is the hash of what lets its client in. Old ones are forgotten."""
    number = int(connection.execute("SELECT coalesce(max(number), 0) + 1 FROM runs WHERE app_id = ?", (app.id,)).fetchone()[0])
    screen = pack(asdict(run.screen)) if run.screen else None
    cursor = connection.execute(
        "INSERT INTO runs"
        " (app_id, number, release, instance, command, attached, screen, memory, time_limit, actor, via, ticket, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            app.id,
            number,
            run.release,
            run.instance,
            pack(run.command),
            run.attached,
            screen,
            run.memory,
            run.time_limit,
            run.actor,
            run.via,
            ticket,
            run.created_at,
        ),
    )
    connection.execute("DELETE FROM runs WHERE app_id = ? AND state = 'ended' AND number <= ?", (app.id, number - KEPT))
    return replace(run, id=int(cursor.lastrowid or 0), number=number)


def get(connection: sqlite3.Connection, app: App, number: int) -> Run:
    """Raises NotFound."""
    row = connection.execute(f"{SELECT} WHERE app_id = ? AND number = ?", (app.id, number)).fetchone()
    if row is None:
        hint = f"See them with: wherry run:list {app.name} --all"
        raise NotFound(f"{app.name} has no run.{number}", code="no_such_run", hint=hint)
    return _run(row)


def of_app(connection: sqlite3.Connection, app: App, ended: bool = False) -> list[Run]:
    """The newest first; those that have ended only with `ended`."""
    more = "" if ended else "AND state <> 'ended'"
    return [_run(row) for row in connection.execute(f"{SELECT} WHERE app_id = ? {more} ORDER BY number DESC", (app.id,))]


def unended(connection: sqlite3.Connection) -> list[Run]:
    """Of all apps, the oldest first."""
    return [_run(row) for row in connection.execute(f"{SELECT} WHERE state <> 'ended' ORDER BY runs.id")]


def admit(connection: sqlite3.Connection, ticket: str, since: str) -> Run | None:
    """The run whose ticket has this hash and was made after `since`; the ticket is used up."""
    row = connection.execute(f"{SELECT} WHERE ticket = ? AND state = 'waiting' AND runs.created_at > ?", (ticket, since)).fetchone()
    return _run(row) if row and claim(connection, _run(row)) else None


def claim(connection: sqlite3.Connection, run: Run) -> bool:
    """From waiting to starting; False when another was faster."""
    cursor = connection.execute("UPDATE runs SET state = 'starting', ticket = NULL WHERE id = ? AND state = 'waiting'", (run.id,))
    return cursor.rowcount == 1


def unclaim(connection: sqlite3.Connection, run: Run) -> None:
    """Its engine died before anything ran: it waits again."""
    connection.execute("UPDATE runs SET state = 'waiting' WHERE id = ? AND state = 'starting'", (run.id,))


def started(connection: sqlite3.Connection, run: Run, container: str, at: str) -> None:
    connection.execute(
        "UPDATE runs SET state = 'running', container = ?, started_at = ? WHERE id = ? AND state = 'starting'", (container, at, run.id)
    )


def ended(connection: sqlite3.Connection, run: Run, exit_code: int | None, reason: str, at: str) -> bool:
    """Says once how it ended; False when that was said before."""
    cursor = connection.execute(
        "UPDATE runs SET state = 'ended', ticket = NULL, exit_code = ?, reason = ?, finished_at = ? WHERE id = ? AND state <> 'ended'",
        (exit_code, reason, at, run.id),
    )
    return cursor.rowcount == 1


def stop(connection: sqlite3.Connection, run: Run, by: str) -> None:
    """Wishes its end; the first who asked is remembered."""
    connection.execute("UPDATE runs SET stopped_by = ? WHERE id = ? AND stopped_by = ''", (by, run.id))


def _run(row: sqlite3.Row) -> Run:
    return Run(
        id=row["id"],
        app=row["app"],
        number=row["number"],
        release=row["release"],
        command=tuple(unpack(row["command"])),
        attached=bool(row["attached"]),
        actor=row["actor"],
        via=row["via"],
        created_at=row["created_at"],
        memory=row["memory"],
        instance=row["instance"],
        screen=Screen(**unpack(row["screen"])) if row["screen"] else None,
        time_limit=row["time_limit"],
        state=row["state"],
        container=row["container"],
        exit_code=row["exit_code"],
        reason=row["reason"],
        stopped_by=row["stopped_by"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )
