"""May this actor do this? A pure answer with its reason; the roles are read < deploy < admin."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.model.user import ROLES, Actor


@dataclass(frozen=True)
class Decision:
    allowed: bool
    reason: str


def decide(actor: Actor, needed: str, what: str) -> Decision:
    """`needed` is the least role that may; `what` completes "may not …"."""
    if actor.role in ROLES and ROLES.index(actor.role) >= ROLES.index(needed):
        return Decision(True, f"{actor.name} has the role {actor.role}")
    return Decision(False, f"{actor.name} ({actor.role}) may not {what}: that needs the role {needed}")
