"""An event as a line of its app's log: which are worth one, under which name, in which words. Pure.

wherry[release]: v7 by alice: Deploy 3f2c1ab
wherry[scale]: succeeded, by alice: formation web=3
wherry[config]: changed by alice: keys DATABASE_URL
"""

from __future__ import annotations

from typing import Any

from wherry.model.event import Event
from wherry.model.user import PLATFORM

TOLD_OTHERWISE = ("instance", "run")
"""Nouns whose events leave better lines under the instance's own name, at once."""
ENDS = ("failed", "cancelled")
QUIET = (
    "app.changed",
    "deploy.succeeded",
    "config.succeeded",
    "rollback.succeeded",
    "limits.succeeded",
    "mounts.succeeded",
    "plan.succeeded",
    "scale.succeeded",
    "checks.succeeded",
    "volume.succeeded",
)
"""Said by the release that they made, or by the event of what they did."""
PASSED_OVER = ("operation", "release", "origin", "public")
"""Facts that say nothing to whoever reads a log."""


def line_of(event: Event) -> tuple[str, str] | None:
    """The name and the text of the event's line; None when it gets none."""
    noun, _, what = event.type.partition(".")
    if noun in TOLD_OTHERWISE or event.type in QUIET or (noun in ("certificate", "drain") and event.actor == PLATFORM.name):
        return None
    if what == "requested" and noun != "deploy":
        return None
    if noun == "release":
        return noun, _release(event, what)
    facts = ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in event.data.items() if _is_told(name, value))
    who = f", by {event.actor}" if what in (*ENDS, "succeeded") else f" by {event.actor}"
    return noun, f"{what.replace('_', ' ')}{who}{': ' if facts else ''}{facts}"


def _release(event: Event, what: str) -> str:
    version, facts = event.data.get("release", ""), event.data
    if what == "created":
        return f"{version} by {event.actor}: {facts.get('description', '')}"
    if what == "live":
        return f"{version} is live"
    why = " ".join(str(facts[name]) for name in ("code", "reason") if facts.get(name))
    return f"{version} {what}{': ' if why else ''}{why}"


def _is_told(name: str, value: Any) -> bool:
    return name not in PASSED_OVER and value not in ([], {}, "")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return " ".join(f"{key}={inner}" for key, inner in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(str(inner) for inner in value) or "none"
    return "default" if value is None else str(value)
