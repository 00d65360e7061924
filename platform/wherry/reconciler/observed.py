"""What is seen of one app: its containers, with what the platform itself knows about each of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from wherry.routing.proxy import Route
from wherry.running.engine import Observed


@dataclass(frozen=True)
class Seen:
    """One container. `ready` says that its readiness was proven by this engine; `leaving` that its end has begun. What its
    checks see later: while it is `unready` it gets no visitors if another can have them, when it is `unhealthy` it is replaced."""

    container: Observed
    ready: bool = False
    leaving: bool = False
    unready: bool = False
    unhealthy: bool = False

    @property
    def slot(self) -> tuple[str, int]:
        return self.container.type, self.container.index


@dataclass(frozen=True)
class World:
    """`waits` maps a slot to the monotonic time before which it is not started again. `route` is what the proxy has."""

    seen: tuple[Seen, ...] = ()
    route: Route | None = None
    waits: dict[tuple[str, int], float] = field(default_factory=dict)
    now: float = 0.0
