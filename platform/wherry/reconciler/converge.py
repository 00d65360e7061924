"""Brings one app to its wish: observe, plan, take the steps, until none is left.

`prepare` is strict: the first instance that does not become ready fails the whole, and nothing that serves is touched
before all is ready. `settle` heals: it does what can be done and leaves the rest to a later try.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from wherry.errors import Conflict, Unavailable
from wherry.model.app import App
from wherry.reconciler import report
from wherry.reconciler.desired import Desired, desired_of
from wherry.reconciler.execute import Executor
from wherry.reconciler.observe import observe
from wherry.reconciler.outside import Outside
from wherry.reconciler.pause import Pause
from wherry.reconciler.plan import plan, way_for
from wherry.reconciler.steps import Retire
from wherry.routing.front import front_of
from wherry.running.engine import InstanceSpec
from wherry.store import apps, releases
from wherry.store.database import Connection

Say = Callable[[str], None]
ROUNDS = 20
NETWORKS = 4096


def quiet(_line: str) -> None:
    """For work that nobody follows."""


def prepare(
    outside: Outside,
    desired: Desired,
    say: Say = quiet,
    cancelled: Callable[[], bool] = lambda: False,
    pause: Pause | None = None,
) -> None:
    """Boots what the wish lacks and publishes it. Nothing retires yet: the caller commits the wish first. Only what a new
    instance may not run beside goes before, and `pause` takes note of it.

    Raises DeployFailed with the first failure; what was started for nothing is left to `settle`.
    """
    ensure_network(outside, desired.app)
    executor = Executor(outside, desired, say, cancelled, pause)
    for _ in range(ROUNDS):
        desired = _fronted(outside, desired)
        steps = [step for step in plan(desired, observe(outside, desired)) if not isinstance(step, Retire)]
        if not steps:
            return
        taken = executor.take(steps)
        if taken.failures:
            raise taken.failures[0]
    raise Unavailable(f"{desired.app} did not come to rest; it is tried again", code="not_settled")


def clear_way(outside: Outside, desired: Desired, spec: InstanceSpec, say: Say, pause: Pause) -> None:
    """Ends what a one-off of `spec` may not run beside; requests wait from then on."""
    Executor(outside, desired, say, pause=pause).take(way_for(spec, desired, observe(outside, desired)))


def settled(outside: Outside, name: str) -> bool:
    """Whether the app's wish is true: nothing is left to do, and nothing waits for a later try."""
    desired = wish_of(outside, name)
    if desired is None:
        return True
    world = observe(outside, desired)
    return not plan(desired, world) and not any(until > world.now for until in world.waits.values())


def settle(outside: Outside, name: str) -> None:
    """Heals one app by its wish in the database. An app that is gone is fine."""
    desired = wish_of(outside, name)
    if desired is None:
        return
    if desired.specs:
        ensure_network(outside, name)
    executor = Executor(outside, desired, quiet)
    for _ in range(ROUNDS):
        world = observe(outside, desired)
        steps = plan(desired, world)
        if not steps:
            report.refresh(outside, desired, world)
            return
        executor.take(steps)
        if all(isinstance(step, Retire) for step in steps):
            report.refresh(outside, desired, observe(outside, desired))
            return


def wish_of(outside: Outside, name: str) -> Desired | None:
    """The app's wish as the database has it."""
    with outside.database.read() as connection:
        app = apps.find(connection, name)
        if app is None:
            return None
        return desired_of(app, releases.running(connection, app), outside.settings)


def _fronted(outside: Outside, desired: Desired) -> Desired:
    """The wish with the front of this moment: a domain or maintenance may have changed while instances boot."""
    with outside.database.read() as connection:
        app = apps.find(connection, desired.app)
    return replace(desired, front=front_of(app, outside.settings)) if app else desired


def ensure_network(outside: Outside, name: str) -> None:
    """The app has its network; its subnet is chosen once and kept, and passes over what others on the machine use."""
    with outside.database.read() as connection:
        app = apps.find(connection, name)
        number = apps.subnet(connection, app) if app else None
    if app is None:
        return  # an app that is just getting this name has its network already
    if number is None:
        number = _give_subnet(outside, app, -1)
    make_network(outside, name, number, lambda refused: _give_subnet(outside, app, refused))


def make_network(outside: Outside, name: str, number: int, another: Callable[[int], int]) -> int:
    """Makes the network of `name` on the subnet with this number, or on what `another` says after one that others on the machine
    use; returns the number that it has. Raises Conflict when none is free."""
    for _ in range(NETWORKS):
        try:
            outside.engine.ensure_network(name, subnet_text(number))
        except Conflict:
            number = another(number)
        else:
            return number
    raise Conflict("no subnet is free on this machine", hint="See them: docker network ls", code="subnet_taken")


def _give_subnet(outside: Outside, app: App, refused: int) -> int:
    """The next number after all that were given, so that an address is not soon used by another app."""
    with outside.database.write() as connection:
        number = fresh_subnet(connection, refused)
        apps.give_subnet(connection, app, number)
    return number


def fresh_subnet(connection: Connection, refused: int = -1) -> int:
    """The next number after all that were given, but not `refused`."""
    used = apps.subnets(connection) | {refused}
    first = max(used) + 1
    return next(found % NETWORKS for found in range(first, first + NETWORKS) if found % NETWORKS not in used)


def subnet_text(number: int) -> str:
    """The /24 with this number in 10.208.0.0/12."""
    return f"10.{208 + number // 256}.{number % 256}.0/24"
