"""A world of data for properties of the plan: containers run as soon as they are started, steps do at once what they are for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from wherry.reconciler.desired import Desired
from wherry.reconciler.observed import Seen, World
from wherry.reconciler.plan import plan
from wherry.reconciler.steps import Boot, Discard, Publish, Retire, Step, Vacate, Verify
from wherry.routing.proxy import Route
from wherry.running.engine import InstanceSpec, Observed


def container(of: InstanceSpec, number: int = 1, running: bool = True) -> Observed:
    """The container of an instance, the `number`th that was ever started."""
    return Observed(
        id=f"{number:012d}".ljust(64, "0"),
        app=of.app,
        type=of.type,
        index=of.index,
        release=of.release,
        fingerprint=of.fingerprint,
        image=of.image,
        running=running,
        address=f"10.0.{number // 250}.{number % 250 + 1}" if running else "",
        port=of.port,
        created_at=f"{number:012d}",
        writes=of.writes,
    )


@dataclass
class SmallWorld:
    """One app, one engine, one proxy. A step that would hurt a visitor or a volume is an AssertionError."""

    containers: dict[str, Seen] = field(default_factory=dict)
    route: Route | None = None
    number: int = 0

    def seen(self) -> World:
        return World(tuple(self.containers.values()), self.route)

    @property
    def published(self) -> set[str]:
        return {target.name for target in self.route.targets} if self.route else set()

    def take_all(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self.take(step)

    def take(self, step: Step) -> None:
        match step:
            case Publish(route):
                self._publish(route)
            case Boot(spec):
                self._boot(spec)
            case Verify(found, _):
                self._change(found.id, ready=True)
            case Retire(found):
                self._leaves(found)
                self._change(found.id, leaving=True)
            case Vacate(found) | Discard(found):
                self._leaves(found)
                self.containers.pop(found.id, None)

    def _publish(self, route: Route) -> None:
        fit = {seen.container.target for seen in self.containers.values() if seen.container.running and seen.ready and not seen.leaving}
        assert {target.name for target in route.targets} <= fit, "published without proof"
        self.route = route

    def _boot(self, spec: InstanceSpec) -> None:
        beside = [seen.container for seen in self.containers.values() if seen.container.running]
        assert not any(other.writes & spec.needs_alone for other in beside), "two writers"
        assert not spec.stop_first or not any(other.name == spec.name for other in beside), "beside the one that it replaces"
        self.number += 1
        made = container(spec, self.number)
        self.containers[made.id] = Seen(made, ready=True)

    def _leaves(self, found: Observed) -> None:
        assert found.target not in self.published or not found.running, "an instance that serves was taken away"

    def _change(self, container_id: str, **facts: bool) -> None:
        if container_id in self.containers:
            self.containers[container_id] = replace(self.containers[container_id], **facts)

    # what happens to it

    def crash(self, which: int) -> None:
        """One of the containers ends by itself."""
        if self.containers:
            name = sorted(self.containers)[which % len(self.containers)]
            seen = self.containers[name]
            self.containers[name] = replace(seen, container=replace(seen.container, running=False, address=""))

    def drained(self) -> None:
        """What was leaving is gone."""
        self.containers = {name: seen for name, seen in self.containers.items() if not seen.leaving}

    def forget(self) -> None:
        """The engine dies, and the proxy with it: nothing is known of what is found running."""
        self.containers = {name: Seen(seen.container) for name, seen in self.containers.items()}

    def recall(self) -> None:
        """The engine dies: the next one takes what is published for proven, as `Loop.recover` does."""
        published = self.published
        self.containers = {name: Seen(seen.container, ready=seen.container.target in published) for name, seen in self.containers.items()}

    def look(self, which: int, **facts: bool) -> None:
        """A check of one container says something else."""
        if self.containers:
            self._change(sorted(self.containers)[which % len(self.containers)], **facts)

    def rest(self, desired: Desired, rounds: int) -> None:
        """Goes on until nothing is left to do; AssertionError after so many rounds."""
        for _ in range(rounds):
            self.drained()
            steps = plan(desired, self.seen())
            if not steps:
                return
            self.take_all(steps)
        raise AssertionError(f"no rest after {rounds} rounds: {steps}")
