"""`wherry events`: who changed what, when, and by which way."""

from __future__ import annotations

from typing import Any

from wherry.faces.cli.render import ago
from wherry.faces.cli.session import Session


def recent(session: Session) -> int:
    given, app = session.given, session.given.maybe("APP")
    path = session.app_path("/events") if app else "/api/events"
    document = session.api.get(path, n=str(given.number("--num", 20, 1000)), type=given.option("--type"), actor=given.option("--by"))
    rows = [_row(event, not app) for event in reversed(document["events"])]
    return session.show(document, session.table(rows) if rows else "no such event")


def _row(event: dict[str, Any], with_app: bool) -> list[str]:
    app = [event["app"] or "-"] if with_app else []
    return [ago(event["at"]), *app, event["actor"], event["via"], event["type"], told(event["data"])]


def told(data: dict[str, Any]) -> str:
    """`release=v7 keys=A,B`: what an event carries beside its type."""
    return " ".join(f"{name}={_word(value)}" for name, value in data.items() if value not in ("", None, [], {}))


def _word(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}:{_word(inner)}" for name, inner in value.items())
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
