"""`wherry checks …`: what is asked of instances, and how."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput
from wherry.faces.cli import follow
from wherry.faces.cli.render import printable, quoted
from wherry.faces.cli.session import Session

HEADER = ("PROCESS", "TYPE", "ASKS", "TIMEOUT", "ATTEMPTS", "WAIT")
DOKKU = {"wait-to-retire": "drain"}


def show(session: Session) -> int:
    document = session.api.get(session.app_path("/checks"))
    rows = [_row(process, check) for process, checks in document["checks"].items() for check in checks]
    parts = [session.table(rows, HEADER) if rows else f"{printable(document['app'])} has no check in app.json: ready is what listens"]
    parts += [f"{word}: {_types(document[key])}" for key, word in WORDS.items() if document[key]]
    parts.append(f"boot {document['boot']} s, drain {document['drain']} s, watched after a switch for {document['bake']} s")
    if document["set"]:
        parts.append("set: " + " ".join(f"{name}={value}" for name, value in document["set"].items()))
    return session.show(document, "\n".join(parts))


def run(session: Session) -> int:
    body = {"instance": session.given.maybe("INSTANCE")}
    return follow.settle(session, session.api.send("POST", session.app_path("/checks/actions/run"), body))


def disable(session: Session) -> int:
    return _switch(session, "disable")


def skip(session: Session) -> int:
    return _switch(session, "skip")


def enable(session: Session) -> int:
    return _switch(session, "enable")


def put(session: Session) -> int:
    wished = numbers_of(session.given.many("KEY=N"))
    return follow.settle(session, session.api.send("PATCH", session.app_path("/checks"), wished))


def numbers_of(words: list[str]) -> dict[str, int | None]:
    """Reads `["timeout=10", "bake=default"]`, and Dokku's `["wait-to-retire", "60"]`. Raises InvalidInput for what is no pair."""
    pairs = words if any("=" in word for word in words) else ["=".join(words[:2]), *words[2:]] if len(words) > 1 else words
    wished: dict[str, int | None] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        name = DOKKU.get(name, name)
        if not sign or not name or not (value == "default" or (value.isascii() and value.isdigit() and len(value) <= 6)):
            raise InvalidInput(f"{quoted(pair)}: give KEY=N, e.g. timeout=10, or KEY=default", field="checks")
        wished[name] = None if value == "default" else int(value)
    return wished


WORDS = {"disabled": "disabled (stopped before the new one starts)", "skipped": "no startup checks"}


def _switch(session: Session, verb: str) -> int:
    types = [name for word in session.given.many("TYPE") for name in word.split(",") if name]
    return follow.settle(session, session.api.send("POST", session.app_path(f"/checks/actions/{verb}"), {"types": types}))


def _row(process: str, check: dict[str, Any]) -> list[str]:
    asks = f"{check['asks']} ({check['name']})" if check["name"] else check["asks"]
    return [process, check["type"], asks, f"{check['timeout']} s", str(check["attempts"]), f"{check['wait']} s"]


def _types(types: list[str]) -> str:
    return "all processes" if "*" in types else ", ".join(types)
