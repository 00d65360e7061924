"""An event: something that changed, who changed it, when. Written in the same transaction as the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
