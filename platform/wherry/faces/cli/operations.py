"""`wherry operations …`: what was asked of the platform and how it went."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput
from wherry.faces.cli import follow
from wherry.faces.cli.problems import as_text
from wherry.faces.cli.render import ago, facts, quoted, took
from wherry.faces.cli.session import Session


def recent(session: Session) -> int:
    document = session.api.get("/api/operations", app=session.given.maybe("APP"))
    rows = [_row(operation) for operation in document["operations"]]
    return session.show(document, session.table(rows) if rows else "no operation yet")


def info(session: Session) -> int:
    operation = session.api.get(f"/api/operations/{_number(session)}")
    pairs = [
        ("operation", f"{operation['id']}  {operation['state']}"),
        ("what", what(operation)),
        ("asked", f"{ago(operation['created_at'])} by {operation['actor']}"),
        ("took", _took(operation)),
        ("result", str((operation["result"] or {}).get("message") or "")),
        *(_error(session, operation) if operation["error"] else ()),
        ("log", session.own(f"wherry operations:log {operation['id']}")),
    ]
    return session.show(operation, facts(pairs), given=True)


def log(session: Session) -> int:
    return follow.watch(session, _number(session))


def cancel(session: Session) -> int:
    return end(session, _number(session))


def end(session: Session, number: int) -> int:
    """Cancels, and waits until that is true."""
    answer = session.api.send("POST", f"/api/operations/{number}/actions/cancel")
    if answer["state"] == "cancelled" or not session.given.wait:
        return session.show(answer, f"operation {number} is {answer['state']}")
    return _wait_for_end(session, number)


def what(operation: dict[str, Any]) -> str:
    """`scale shop web=3`, as a person would have asked for it."""
    request = operation["request"] or {}
    words = [f"{name}={quantity}" for name, quantity in (request.get("formation") or {}).items()]
    words += [
        str(request[key])[:7] if key == "commit" else str(request[key])
        for key in ("scope", "to", "commit", "origin", "server")
        if request.get(key) and request[key] != "*"
    ]
    words += request.get("keys") or []
    return " ".join(filter(None, [operation["kind"], operation["app"], *words]))


def _wait_for_end(session: Session, number: int) -> int:
    """A running operation ends at its next safe point; cancelled is what was asked for here, so it is a success."""
    try:
        ends = [event.data for event in follow.follow(session.api, number) if event.name == "done"]
    except KeyboardInterrupt:
        session.terminal.complain(f"\nstill running: wherry operations:info {number}")
        return follow.INTERRUPTED
    operation = follow.parsed(ends[-1])
    session.show(operation, f"operation {number} is {operation['state']}")
    return 0 if operation["state"] == "cancelled" else 1


def _number(session: Session) -> int:
    text = session.given.word("NUMBER")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise InvalidInput(f"operation {quoted(text)}: give its number, e.g. 41 (see: wherry operations)", field="operation")
    return int(text)


def _row(operation: dict[str, Any]) -> list[str]:
    error = operation["error"] or {}
    told = (operation["result"] or {}).get("message") or " ".join(filter(None, (error.get("code"), error.get("message")))) or ""
    return [str(operation["id"]), ago(operation["created_at"]), operation["actor"], operation["state"], what(operation), str(told)]


def _error(session: Session, operation: dict[str, Any]) -> list[tuple[str, str]]:
    what, _, fix = as_text(follow.failure_of(operation)).partition("\n")
    return [("error", what), ("fix", session.own(fix))]


def _took(operation: dict[str, Any]) -> str:
    start, end = operation["started_at"], operation["finished_at"]
    return took(start, end) if start and end else ""
