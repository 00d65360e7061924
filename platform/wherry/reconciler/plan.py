"""What to do next so that the world comes closer to the wish. Pure: no IO, no clock, no memory.

The rule of a switch: while instances that serve are being replaced, the old ones stay published, all of them, until
every wished instance is ready; then one Publish moves the traffic, and only then the old ones retire.

Its exception: an instance that may not run beside another one (a volume of one writer, checks that are off) starts when
that one is gone. All that needs not wait for it is ready before; then the route is held, the one in the way is vacated,
its successor boots, and one Publish ends the hold.

An instance whose liveness check fails counts as an old one. Whose checks fail gets no visitors as long as another can have
them: a check that is wrong, or a database that is down for all, must not take a whole app away.
"""

from __future__ import annotations

from dataclasses import replace

from wherry.model.process import WEB
from wherry.reconciler.desired import Desired
from wherry.reconciler.memory import NEVER
from wherry.reconciler.observed import Seen, World
from wherry.reconciler.steps import Boot, Discard, Publish, Retire, Step, Vacate, Verify
from wherry.routing.proxy import Route, Target
from wherry.running.engine import InstanceSpec, Observed

Slot = tuple[str, int]


def plan(desired: Desired, world: World) -> list[Step]:
    """The next steps in the order in which they must be taken; empty when the wish is true or must wait.

    The route is put right first, so that no visitor is sent to a dead instance while its successor boots.
    """
    wished = {(spec.type, spec.index): spec for spec in desired.specs}
    alive = [seen for seen in world.seen if seen.container.running and not seen.leaving]
    matched = _matched(wished, [seen for seen in alive if not seen.unhealthy])
    others = [seen for seen in alive if seen not in matched.values()]
    due = [slot for slot in wished if slot not in matched and world.waits.get(slot, 0.0) <= world.now]
    blocked = {slot: found for slot in due if (found := in_the_way(wished[slot], matched, world))}
    expected = [slot for slot in wished if world.waits.get(slot, 0.0) < NEVER]
    complete = all(slot in matched and matched[slot].ready for slot in expected)
    vacated = _vacated(wished, matched, blocked)
    others = [seen for seen in others if seen not in vacated]
    return [
        *_publishes(desired, matched, others, complete, world),
        *_discards(world),
        *_starts(wished, matched, [slot for slot in due if slot not in blocked]),
        *(Vacate(seen.container) for seen in vacated),
        *_retirements(others, complete, wished),
    ]


def way_for(spec: InstanceSpec, desired: Desired, world: World) -> list[Step]:
    """The steps after which a one-off of `spec` may start: what it may not run beside is taken off the route and ends."""
    vacated = in_the_way(spec, {}, world)
    ready = [seen for seen in world.seen if seen.ready and not seen.leaving and seen not in vacated]
    route = _told(route_of(desired, _containers(_well(ready))), desired, world)
    publish: list[Step] = [Publish(route)] if vacated and route != world.route else []
    return publish + [Vacate(seen.container) for seen in vacated]


def in_the_way(spec: InstanceSpec, matched: dict[Slot, Seen], world: World) -> list[Seen]:
    """What runs, leaving or not, that an instance of `spec` may not start beside."""
    return [
        seen
        for seen in world.seen
        if seen.container.running
        and seen not in matched.values()
        and (seen.container.writes & spec.needs_alone or (spec.stop_first and seen.container.type == spec.type))
    ]


def _vacated(wished: dict[Slot, InstanceSpec], matched: dict[Slot, Seen], blocked: dict[Slot, list[Seen]]) -> list[Seen]:
    """What must go now: nothing, until all that can start beside it is ready, so that what fails does so before."""
    if not all(slot in matched and matched[slot].ready for slot in wished if slot not in blocked):
        return []
    return list({seen.container.id: seen for found in blocked.values() for seen in found}.values())


def _matched(wished: dict[Slot, InstanceSpec], alive: list[Seen]) -> dict[Slot, Seen]:
    """The one container that serves each wished slot: a ready one before a booting one, then the oldest."""
    found: dict[Slot, Seen] = {}
    for seen in sorted(alive, key=lambda seen: (not seen.ready, seen.container.created_at)):
        spec = wished.get(seen.slot)
        if spec and spec.fingerprint == seen.container.fingerprint and seen.slot not in found:
            found[seen.slot] = seen
    return found


def _discards(world: World) -> list[Step]:
    return [Discard(seen.container) for seen in world.seen if not seen.container.running and not seen.leaving]


def _starts(wished: dict[Slot, InstanceSpec], matched: dict[Slot, Seen], free: list[Slot]) -> list[Step]:
    verifies: list[Step] = [Verify(seen.container, wished[slot]) for slot, seen in matched.items() if not seen.ready]
    return verifies + [Boot(wished[slot]) for slot in free]


def _publishes(desired: Desired, matched: dict[Slot, Seen], others: list[Seen], complete: bool, world: World) -> list[Step]:
    new = [seen for seen in matched.values() if seen.ready]
    old = [seen for seen in others if seen.ready]
    serving = new if complete or not _targets(_containers(old)) else [*old, *_same_release(new, old)]
    route = _told(route_of(desired, _containers(_well(serving))), desired, world)
    return [] if route == world.route else [Publish(route)]


def _told(route: Route, desired: Desired, world: World) -> Route:
    """Nobody is made to wait for what crashed before: then visitors read that it starts."""
    crashed = any(spec.type == WEB and (spec.type, spec.index) in world.waits for spec in desired.specs)
    return replace(route, state="starting") if route.state == "held" and crashed else route


def _same_release(new: list[Seen], old: list[Seen]) -> list[Seen]:
    """Ready instances of the very release that the old ones run may serve beside them (a restart, a crash): nobody sees a mixture."""
    releases = {seen.container.release for seen in old if seen.container.port}
    return [seen for seen in new if releases == {seen.container.release}]


def _well(serving: list[Seen]) -> list[Seen]:
    """Those whose checks pass; all of them when none of those takes requests."""
    well = [seen for seen in serving if not seen.unready and not seen.unhealthy]
    return well if _targets(_containers(well)) else serving


def _containers(found: list[Seen]) -> list[Observed]:
    return [seen.container for seen in found]


def _retirements(others: list[Seen], complete: bool, wished: dict[Slot, InstanceSpec]) -> list[Step]:
    """Once all is ready, everything else goes; before, only what does not serve and is not wished."""
    return [Retire(seen.container) for seen in others if complete or (not seen.ready and seen.slot not in wished)]


def route_of(desired: Desired, containers: list[Observed]) -> Route:
    """The app's route over those of `containers` that take requests."""
    targets = _targets(containers)
    front = desired.front or Route(desired.app, desired.hosts)
    return replace(front, targets=targets, state="serving" if targets else desired.idle)


def _targets(containers: list[Observed]) -> tuple[Target, ...]:
    found = [Target(seen.target, seen.address, seen.port) for seen in containers if seen.port and seen.address]
    return tuple(sorted(found, key=lambda target: target.name))
