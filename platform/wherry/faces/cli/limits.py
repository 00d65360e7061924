"""`wherry ps:type` and `wherry sizes`: what one instance of a process type may use."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput
from wherry.faces.cli import follow
from wherry.faces.cli.render import printable, quoted, size
from wherry.faces.cli.session import Session

OPTIONS = {"--memory": "memory", "--cpu": "cpu", "--pids": "pids"}


def sizes(session: Session) -> int:
    document = session.api.get("/api/sizes")
    rows = [[found["name"], size(found["memory"]), str(found["share"]), str(found["pids"])] for found in document["sizes"]]
    default = f"Without a size an instance gets {size(document['default_memory'])}, share 1024."
    machine = f"This machine has {size(document['memory'])} and {document['cpu']} CPU."
    return session.show(document, f"{session.table(rows, ('SIZE', 'MEMORY', 'SHARE', 'PIDS'))}\n{default} {machine}")


def process_type(session: Session) -> int:
    changes = changes_of(session.given.many("TYPE=SIZE"))
    path = session.app_path("/limits")
    given = {key: session.given.options[option] for option, key in OPTIONS.items() if option in session.given.options}
    if given:
        for process in _meant(session, path):
            changes[process] = {**changes.get(process, {}), **given}
    if not changes:
        return _show(session, session.api.get(path))
    return follow.settle(session, session.api.send("PATCH", path, changes))


def changes_of(words: list[str]) -> dict[str, dict[str, Any]]:
    """Reads `["web=small", "worker.memory=300m"]`. Raises InvalidInput for what is no pair; values are the platform's to judge."""
    changes: dict[str, dict[str, Any]] = {}
    for word in words:
        name, sign, value = word.partition("=")
        process, _, key = name.partition(".")
        if not sign or not process:
            raise InvalidInput(f"{quoted(word)}: give TYPE=SIZE or TYPE.memory=SIZE, e.g. web=medium or web.memory=300m", field="limits")
        change = changes.setdefault(process, {})
        if (key or "size") in change:
            raise InvalidInput(f"{quoted(name)} is given twice; give each once, e.g. web=medium", field="limits")
        change[key or "size"] = value
    return changes


def _meant(session: Session, path: str) -> list[str]:
    """The process type that is named, else all that the app has, as Dokku has it."""
    named = session.given.option("--process-type")
    found = [named] if named else [name for name in session.api.get(path)["limits"] if name not in ("run", "release")]
    if not found:
        raise InvalidInput("this app has no process type yet: say which is meant, e.g. --process-type web", field="limits")
    return found


def _show(session: Session, document: dict[str, Any]) -> int:
    rows = [
        [
            name,
            found["size"] or ("custom" if found["set"] else "default"),
            size(found["memory"]),
            "all" if found["cpu"] is None else f"{found['cpu']:g}",
            str(found["share"]),
            str(found["pids"]),
        ]
        for name, found in document["limits"].items()
    ]
    empty = f"no process type yet; set a size beforehand: wherry ps:type {printable(session.given.app)} web=medium"
    return session.show(document, session.table(rows, ("TYPE", "SIZE", "MEMORY", "CPU", "SHARE", "PIDS")) if rows else empty)
