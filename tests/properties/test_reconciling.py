"""Any order of wishes, crashes, checks, half-done rounds and engine deaths comes to rest at the wish; on the way no volume of one
writer has two, nothing is published without proof, and no instance that serves is taken away."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from hypothesis_support import examples
from plan_support import SmallWorld
from wherry.reconciler.desired import Desired
from wherry.reconciler.plan import plan, route_of
from wherry.reconciler.steps import Step
from wherry.running.engine import InstanceSpec, VolumeMount

ROUNDS = 60
DATA = VolumeMount("data", "wherry-data", "/data", alone=True)


class Reconciling(RuleBasedStateMachine):
    """The engine's loop over a world made of data: `plan` is the real one, a step does at once what it is for."""

    def __init__(self) -> None:
        super().__init__()
        self.release, self.quantities = 1, {"web": 1, "worker": 0}
        self.writer, self.stop_first, self.generation = "", False, 0
        self.world = SmallWorld()

    def wish(self) -> Desired:
        slots = [(process, index) for process, quantity in self.quantities.items() for index in range(1, self.most(process, quantity) + 1)]
        idle = "stopped" if not self.quantities["web"] else "held" if self.waits_for_the_old else "starting"
        return Desired("shop", tuple(self.spec(*slot) for slot in slots), ("shop.localhost",), idle, {})

    def most(self, process: str, quantity: int) -> int:
        return min(quantity, 1) if process == self.writer else quantity

    def spec(self, process: str, index: int) -> InstanceSpec:
        return InstanceSpec(
            "shop",
            process,
            index,
            self.release,
            f"v{self.release}",
            "run",
            {},
            5000 if process == "web" else None,
            256,
            self.generation,
            mounts=(DATA,) if process == self.writer else (),
            stop_first=self.stop_first and process == "web",
        )

    @property
    def waits_for_the_old(self) -> bool:
        """Whether a new web instance has to wait for the old one's end: then visitors wait, and that is right."""
        return self.writer == "web" or self.stop_first

    # what people wish

    @rule()
    def a_new_release(self) -> None:
        self.release += 1

    @rule()
    def a_rollback(self) -> None:
        self.release = max(1, self.release - 1)

    @rule()
    def a_restart(self) -> None:
        self.generation += 1

    @rule(process=st.sampled_from(["web", "worker"]), quantity=st.integers(0, 3))
    def scaled(self, process: str, quantity: int) -> None:
        self.quantities[process] = quantity

    @rule(process=st.sampled_from(["", "web", "worker"]))
    def a_volume_is_mounted(self, process: str) -> None:
        self.writer = process

    @rule(off=st.booleans())
    def checks_are_set(self, off: bool) -> None:
        self.stop_first = off

    # what happens

    @rule(which=st.integers(0, 9))
    def an_instance_crashes(self, which: int) -> None:
        self.world.crash(which)

    @rule(which=st.integers(0, 9), unready=st.booleans(), unhealthy=st.booleans())
    def a_check_says_something_else(self, which: int, unready: bool, unhealthy: bool) -> None:
        self.world.look(which, unready=unready, unhealthy=unhealthy)

    @rule()
    def what_was_leaving_is_gone(self) -> None:
        self.world.drained()

    @rule()
    def the_engine_dies_and_knows_only_what_is_published(self) -> None:
        self.world.recall()

    @rule()
    def the_machine_boots_anew(self) -> None:
        for which in range(len(self.world.containers)):
            self.world.crash(which)
        self.world.forget()
        self.world.route = None

    @rule(steps=st.integers(0, 4))
    def a_round_is_cut_short(self, steps: int) -> None:
        self.go(plan(self.wish(), self.world.seen())[:steps])

    @rule()
    def a_round(self) -> None:
        self.go(plan(self.wish(), self.world.seen()))

    def go(self, steps: list[Step]) -> None:
        """Visitors who were served are served on, unless nobody is wished or the next has to wait for the last one's end."""
        before = self.serving()
        self.world.take_all(steps)
        assert self.serving() or not before or not self.quantities["web"] or self.waits_for_the_old, "nobody serves any more"

    def serving(self) -> bool:
        alive = {seen.container.target for seen in self.world.containers.values() if seen.container.running}
        return bool(self.world.published & alive)

    def teardown(self) -> None:
        """It comes to rest once checks pass, and then what runs is what is wished, and what is published is what runs."""
        for which in range(len(self.world.containers)):
            self.world.look(which, unready=False, unhealthy=False)
        wish = self.wish()
        self.world.rest(wish, ROUNDS)
        containers = [seen.container for seen in self.world.containers.values()]
        found = sorted((seen.type, seen.index, seen.fingerprint) for seen in containers)
        assert found == sorted((spec.type, spec.index, spec.fingerprint) for spec in wish.specs)
        assert self.world.route == route_of(wish, containers)


TestReconciling = Reconciling.TestCase
TestReconciling.settings = examples(60, stateful_step_count=25)
