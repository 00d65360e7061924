"""An operation: a durable piece of work with its log; what a 202 points to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = (
    "deploy",
    "config",
    "scale",
    "limits",
    "check",
    "checks",
    "restart",
    "stop",
    "start",
    "rollback",
    "destroy",
    "plan",
    "login",
    "logout",
    "doctor",
    "mounts",
    "volume",
    "rename",
    "clone",
)
FINAL = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class Operation:
    """`app` is empty for what concerns the platform as a whole. `state` goes queued → running → succeeded | failed |
    cancelled. `payload` is the wish as it was given; `progress` holds the facts already reached (image, release …) so that
    a new owner goes on from there."""

    id: int
    app: str
    kind: str
    actor: str
    state: str
    payload: dict[str, Any]
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    owner: str | None = None
    attempts: int = 0
    progress: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None

    @property
    def spooled(self) -> set[str]:
        """The names of files in the spool that are this operation's, and go when it ends."""
        fetched, wanted = self.progress.get("fetched") or {}, self.payload.get("from") or {}
        names = (self.payload.get("archive"), self.payload.get("secret"), wanted.get("file"), fetched.get("archive"))
        return {str(name) for name in names if name}

    @property
    def done(self) -> bool:
        return self.state in FINAL
