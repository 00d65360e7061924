"""`wherry labels …`: an owner's own words for an app."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput
from wherry.faces.cli.render import printable, quoted
from wherry.faces.cli.session import Session


def show(session: Session) -> int:
    return _told(session, session.api.get(session.app_path("/labels")))


def put(session: Session) -> int:
    return _told(session, session.api.send("PATCH", session.app_path("/labels"), _pairs(session.given.many("KEY=VALUE"))))


def unset(session: Session) -> int:
    return _told(session, session.api.send("PATCH", session.app_path("/labels"), dict.fromkeys(session.given.many("KEY"))))


def _pairs(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise InvalidInput(f"{quoted(word)}: give KEY=VALUE, e.g. env=prod", field="labels")
        if key in found:
            raise InvalidInput(f"{quoted(key)} is given twice; give each label once, e.g. env=prod", field="labels")
        found[key] = value
    return found


def _told(session: Session, document: dict[str, Any]) -> int:
    """One label per line, as `labels:set` takes them."""
    if "message" in document:
        return session.show(document, printable(str(document["message"])))
    app = printable(session.given.app)
    lines = [printable(f"{key}={value}") for key, value in document["labels"].items()]
    if lines:
        return session.show(document, "\n".join(lines), given=True)
    return session.show(document, f"{app} has no label; set one: wherry labels:set {app} env=prod")
