"""The guard in front of every verb."""

from __future__ import annotations

from wherry.access.decide import decide
from wherry.errors import Forbidden
from wherry.model.user import Actor


def require(actor: Actor, needed: str, what: str) -> None:
    """Raises Forbidden with the reason when the actor's role is less than `needed`."""
    decision = decide(actor, needed, what)
    if not decision.allowed:
        raise Forbidden(decision.reason, hint="Ask an admin of this platform.")
