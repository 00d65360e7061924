"""Gathers what is seen of an app into one value for `plan`."""

from __future__ import annotations

from wherry import clock
from wherry.model.restart_policy import ALWAYS
from wherry.reconciler.desired import Desired
from wherry.reconciler.memory import NEVER, Memory
from wherry.reconciler.observed import Seen, World
from wherry.reconciler.outside import Outside
from wherry.routing.proxy import Route
from wherry.running.engine import Observed


def observe(outside: Outside, desired: Desired, containers: list[Observed] | None = None, routes: dict[str, Route] | None = None) -> World:
    """Asks the engine and the proxy about the app. `containers` and `routes` spare the questions."""
    memory = outside.memory
    found = outside.engine.observe(desired.app) if containers is None else containers
    seen = tuple(_seen(memory, one) for one in found)
    specs = {(spec.type, spec.index): spec.fingerprint for spec in desired.specs}
    known = memory.waits(desired.app).items()
    waits = {slot: until for slot, (until, fingerprint) in known if specs.get(slot) == fingerprint}
    if desired.restart_policy == ALWAYS:  # what was given up under another policy is not any more
        waits = {slot: until for slot, until in waits.items() if until < NEVER}
    return World(seen, (outside.proxy.routes() if routes is None else routes).get(desired.app), waits, clock.monotonic())


def _seen(memory: Memory, one: Observed) -> Seen:
    health = memory.health(one.id)
    return Seen(one, memory.is_ready(one.id), memory.is_leaving(one.id), bool(health.unready), bool(health.unhealthy))
