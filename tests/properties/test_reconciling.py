"""Any order of wishes, crashes, half-done rounds and engine deaths comes to rest at the wish, and takes no instance away that serves."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from wherry.reconciler.desired import Desired
from wherry.reconciler.observed import Seen, World
from wherry.reconciler.plan import plan, route_of
from wherry.reconciler.steps import Boot, Discard, Publish, Retire, Step, Vacate, Verify
from wherry.running.engine import InstanceSpec, Observed

ROUNDS = 20


class Reconciling(RuleBasedStateMachine):
    """The engine's loop over a world made of data: `plan` is the real one, a step does at once what it is for."""

    def __init__(self) -> None:
        super().__init__()
        self.release, self.quantities, self.made = 1, {"web": 1, "worker": 0}, 0
        self.world = World()

    def wish(self) -> Desired:
        specs = [
            InstanceSpec(
                "shop", process, index, self.release, f"v{self.release}", "run", {}, 5000 if process == "web" else None, 256, self.release
            )
            for process, quantity in self.quantities.items()
            for index in range(1, quantity + 1)
        ]
        return Desired("shop", tuple(specs), ("shop.localhost",), "starting" if self.quantities["web"] else "stopped", {})

    @rule()
    def a_new_release(self) -> None:
        self.release += 1

    @rule(process=st.sampled_from(["web", "worker"]), quantity=st.integers(0, 3))
    def scaled(self, process: str, quantity: int) -> None:
        self.quantities[process] = quantity

    @rule(which=st.integers(0, 9))
    def an_instance_crashes(self, which: int) -> None:
        if self.world.seen:
            at = which % len(self.world.seen)
            seen = self.world.seen[at]
            dead = replace(seen, container=replace(seen.container, running=False, address=""))
            self.world = replace(self.world, seen=(*self.world.seen[:at], dead, *self.world.seen[at + 1 :]))

    @rule()
    def the_engine_dies_and_knows_only_what_is_published(self) -> None:
        published = {target.name for target in self.world.route.targets} if self.world.route else set()
        known = tuple(replace(seen, ready=seen.container.target in published) for seen in self.world.seen)
        self.world = replace(self.world, seen=known)

    @rule(steps=st.integers(0, 4))
    def a_round_is_cut_short(self, steps: int) -> None:
        for step in plan(self.wish(), self.world)[:steps]:
            self.take(step)

    @rule()
    def a_round(self) -> None:
        for step in plan(self.wish(), self.world):
            self.take(step)

    def teardown(self) -> None:
        """It comes to rest, and then what runs is what is wished, and what is published is what runs."""
        for _ in range(ROUNDS):
            steps = plan(self.wish(), self.world)
            if not steps:
                break
            for step in steps:
                self.take(step)
        else:
            raise AssertionError(f"no rest after {ROUNDS} rounds: {steps}")
        wish = self.wish()
        found = sorted((seen.container.type, seen.container.index, seen.container.fingerprint) for seen in self.world.seen)
        assert found == sorted((spec.type, spec.index, spec.fingerprint) for spec in wish.specs)
        assert self.world.route == route_of(wish, [seen.container for seen in self.world.seen])

    def take(self, step: Step) -> None:
        match step:
            case Publish(route):
                alive = {seen.container.target for seen in self.world.seen if seen.container.running and seen.ready}
                assert {target.name for target in route.targets} <= alive, "published without proof"
                self.world = replace(self.world, route=route)
            case Boot(spec):
                self.made += 1
                self.world = replace(self.world, seen=(*self.world.seen, Seen(self.container(spec), ready=True)))
            case Verify(container, _):
                seen = tuple(replace(seen, ready=True) if seen.container.id == container.id else seen for seen in self.world.seen)
                self.world = replace(self.world, seen=seen)
            case Retire(container) | Vacate(container) | Discard(container):
                self.leaves(container)

    def leaves(self, container: Observed) -> None:
        route = self.world.route
        published = {target.name for target in route.targets} if route else set()
        assert container.target not in published or not container.running, "an instance that serves was taken away"
        self.world = replace(self.world, seen=tuple(seen for seen in self.world.seen if seen.container.id != container.id))

    def container(self, of: InstanceSpec) -> Observed:
        return Observed(
            id=f"{self.made:012d}".ljust(64, "0"),
            app="shop",
            type=of.type,
            index=of.index,
            release=of.release,
            fingerprint=of.fingerprint,
            image=of.image,
            running=True,
            address=f"10.0.{self.made // 250}.{self.made % 250 + 1}",
            port=of.port,
            created_at=f"{self.made:012d}",
        )


TestReconciling = Reconciling.TestCase
TestReconciling.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
