"""A lock on an app: while it is there, pushes and changes are refused, with who locked it and why."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.errors import Conflict, InvalidInput

MAX_WHY = 200


@dataclass(frozen=True)
class Lock:
    """`at` is RFC 3339; `why` may be empty."""

    by: str
    at: str
    why: str = ""


def check_why(text: str) -> str:
    """Raises InvalidInput for what is no line of text."""
    if len(text) > MAX_WHY or (text and not text.isprintable()):
        raise InvalidInput(f"reason: give one line of up to {MAX_WHY} characters, e.g. moving the database", field="why")
    return text


def refusal(name: str, lock: Lock) -> Conflict:
    """What a person hears who would change a locked app."""
    why = f": {lock.why}" if lock.why else ""
    since = lock.at[:16].replace("T", " ")
    told, hint = f"{name} is locked by {lock.by} since {since} UTC{why}", f"Unlock it: wherry apps:unlock {name}"
    return Conflict(told, code="app_locked", hint=hint, quoted=(lock.why,))
