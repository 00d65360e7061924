"""An event: something that changed, who changed it, when. Written in the same transaction as the change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from wherry.errors import InvalidInput


@dataclass(frozen=True)
class Event:
    """`type` is `<noun>.<past participle>`, e.g. `release.created`. `data` holds no secret."""

    id: int
    at: str
    actor: str
    via: str
    app: str | None
    type: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """Which events somebody wants to see; None is all. `type` is a whole type (`release.live`) or its noun (`release`), `before` an
    event's id: those with smaller ones."""

    app: str | None = None
    actor: str | None = None
    type: str | None = None
    before: int | None = None


def check_type(text: str) -> str:
    """Raises InvalidInput for what no type of event looks like."""
    if not re.fullmatch(r"[a-z_]{1,40}(\.[a-z_]{1,40})?", text):
        raise InvalidInput(f"event type {text[:40]!a}: give a type or its first word, e.g. release.live or release", field="type")
    return text
