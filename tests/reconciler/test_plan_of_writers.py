"""Whatever is wished and whatever dies meanwhile: a volume of one writer never has two, and the wish becomes true."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from wherry.reconciler.desired import Desired
from wherry.reconciler.observed import Seen, World
from wherry.reconciler.plan import plan
from wherry.reconciler.steps import Boot, Discard, Publish, Retire, Step, Vacate, Verify
from wherry.routing.proxy import Route
from wherry.running.engine import InstanceSpec, Observed, VolumeMount

ROUNDS = 60
PORTS = {"web": 5000, "worker": None}


@dataclass
class Small:
    """A world that takes steps as the executor does, one app in it."""

    containers: dict[str, Seen] = field(default_factory=dict)
    route: Route | None = None
    number: int = 0

    def seen(self) -> World:
        return World(tuple(self.containers.values()), self.route)

    def take(self, step: Step) -> None:
        if isinstance(step, Publish):
            self.route = step.route
            alive = {seen.container.target for seen in self.containers.values() if seen.container.running and not seen.leaving}
            assert {target.name for target in step.route.targets} <= alive
        elif isinstance(step, Boot):
            self._boot(step.spec)
        elif isinstance(step, Verify):
            self._change(step.container.id, ready=True)
        elif isinstance(step, Retire):
            self._change(step.container.id, leaving=True)
        elif isinstance(step, (Vacate, Discard)):
            assert self.route is None or step.container.target not in {target.name for target in self.route.targets}
            self.containers.pop(step.container.id, None)

    def _boot(self, spec: InstanceSpec) -> None:
        beside = [seen for seen in self.containers.values() if seen.container.running and seen.container.writes & spec.needs_alone]
        assert beside == [], "two writers"
        self.number += 1
        made = Observed(
            id=f"{self.number:012d}".ljust(64, "0"),
            app="shop",
            type=spec.type,
            index=spec.index,
            release=spec.release,
            fingerprint=spec.fingerprint,
            image=spec.image,
            running=True,
            address=f"10.0.{self.number // 250}.{self.number % 250 + 1}",
            port=spec.port,
            created_at=f"{self.number:06d}",
            writes=spec.writes,
        )
        self.containers[made.id] = Seen(made, ready=True)

    def _change(self, container: str, **facts: bool) -> None:
        if container in self.containers:
            self.containers[container] = replace(self.containers[container], **facts)

    def suffer(self, what: str, which: int) -> None:
        """A fault, or time going by."""
        names = sorted(self.containers)
        if what == "engine dies":
            self.containers = {name: replace(seen, ready=False, leaving=False) for name, seen in self.containers.items()}
        elif what == "leaving end":
            self.containers = {name: seen for name, seen in self.containers.items() if not seen.leaving}
        elif what == "crash" and names:
            seen = self.containers[names[which % len(names)]]
            self.containers[seen.container.id] = replace(seen, container=replace(seen.container, running=False, address=""))


def wish(release: int, web: int, worker: int, writer: str) -> Desired:
    """`writer` is the type that writes to the app's volume, or nobody: it has at most one instance."""
    mount = (VolumeMount("data", "wherry-data", "/data", alone=True),)
    counts = {"web": min(web, 1) if writer == "web" else web, "worker": min(worker, 1) if writer == "worker" else worker}
    specs = tuple(
        InstanceSpec("shop", name, index, release, f"v{release}", "run", {}, PORTS[name], 256, mounts=mount if name == writer else ())
        for name, count in counts.items()
        for index in range(1, count + 1)
    )
    return Desired("shop", specs, ("shop.localhost",), "held" if writer == "web" else "starting", {})


wishes = st.builds(wish, st.integers(1, 9), st.integers(0, 3), st.integers(0, 2), st.sampled_from(["web", "worker", "nobody"]))
faults = st.tuples(st.sampled_from(["nothing", "engine dies", "leaving end", "crash"]), st.integers(0, 5))


@settings(max_examples=150, deadline=None)
@given(st.lists(wishes, min_size=1, max_size=4), st.lists(faults, max_size=12))
def test_a_volume_never_has_two_writers_and_every_wish_comes_true(wished: list[Desired], suffered: list[tuple[str, int]]) -> None:
    world, coming = Small(), iter(suffered)
    for desired in wished:
        for _ in range(3):
            for step in plan(desired, world.seen()):
                world.take(step)
            world.suffer(*next(coming, ("nothing", 0)))
    for _ in range(ROUNDS):
        world.suffer("leaving end", 0)
        steps = plan(wished[-1], world.seen())
        for step in steps:
            world.take(step)
        if not steps:
            break
    assert plan(wished[-1], world.seen()) == []
    running = sorted(seen.container.fingerprint for seen in world.containers.values())
    assert running == sorted(spec.fingerprint for spec in wished[-1].specs)
    assert world.route is not None and bool(world.route.targets) == any(spec.port for spec in wished[-1].specs)
