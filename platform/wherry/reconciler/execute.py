"""Takes the steps of a plan: the only part of the reconciler that touches the world."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from wherry import clock, failpoint
from wherry.errors import DeployFailed, Unavailable
from wherry.model.check_settings import number
from wherry.model.restart_policy import ALWAYS, gives_up
from wherry.reconciler import fronts, report
from wherry.reconciler.desired import Desired
from wherry.reconciler.memory import NEVER
from wherry.reconciler.outside import Outside
from wherry.reconciler.pause import Pause
from wherry.reconciler.steps import Boot, Discard, Publish, Retire, Step, Vacate, Verify
from wherry.running.boot import wait_until_ready
from wherry.running.engine import InstanceSpec, Observed
from wherry.settings import Settings

AT_ONCE = 4
"""Instances that boot at the same time: more would only wait for the same two cores."""
COLLECT_WITHIN = 5.0


@dataclass
class Taken:
    """What a round of steps came to: readiness lines in order of arrival, and the first failure of each instance."""

    ready: list[str] = field(default_factory=list)
    failures: list[DeployFailed] = field(default_factory=list)


def drain_limit(check_settings: Mapping[str, Any], settings: Settings) -> int:
    """Seconds that requests under way may take on an instance that leaves."""
    return number(check_settings, "drain", settings.drain_timeout)


class Executor:
    """Takes steps of one app's plan. `say` hears about each instance that became ready, and of each that had to be gone
    before; `pause` takes note of the time."""

    def __init__(
        self,
        outside: Outside,
        desired: Desired,
        say: Callable[[str], None],
        cancelled: Callable[[], bool] = lambda: False,
        pause: Pause | None = None,
    ) -> None:
        self.outside = outside
        self.desired = desired
        self.say = say
        self.cancelled = cancelled
        self.pause = pause or Pause()

    def take(self, steps: Sequence[Step]) -> Taken:
        """Takes `steps` in order; boots and verifications run side by side. A failed boot ends the round."""
        taken = Taken()
        for step in steps:
            if isinstance(step, Publish):
                self.pause.held |= step.route.state == "held"
                fronts.publish(self.outside, step.route)
            elif isinstance(step, Discard):
                self._discard(step.container)
        self._boot([step for step in steps if isinstance(step, (Boot, Verify)) and not self._must_wait(step.spec)], taken)
        if not taken.failures:
            self._vacate([step.container for step in steps if isinstance(step, Vacate)])
            for step in steps:
                if isinstance(step, Retire):
                    self._retire(step.container)
        return taken

    def _boot(self, steps: Sequence[Boot | Verify], taken: Taken) -> None:
        if len(steps) == 1:
            self._ready(steps[0], taken)
        elif steps:
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="boot") as pool:
                list(pool.map(lambda step: self._ready_in_a_thread(step, taken), steps))

    def _ready_in_a_thread(self, step: Boot | Verify, taken: Taken) -> None:
        try:
            self._ready(step, taken)
        finally:
            self.outside.database.close()

    def _ready(self, step: Boot | Verify, taken: Taken) -> None:
        began = clock.monotonic()
        try:
            container = step.container if isinstance(step, Verify) else self._start(step.spec)
            proof = self._wait(container, step.spec)
        except DeployFailed as failure:
            taken.failures.append(failure)
            return
        failpoint.at("health")
        self.outside.memory.mark_ready(container.id)
        report.running(self.outside, container)
        self.say(f"{container.name} ready in {clock.monotonic() - began:.1f} s ({proof})")

    def _start(self, spec: InstanceSpec) -> Observed:
        container = self.outside.engine.start(spec)
        failpoint.at("start")
        report.starting(self.outside, container)
        self.outside.collector.add(container.id, container.app, container.name)
        return container

    def _wait(self, container: Observed, spec: InstanceSpec) -> str:
        settings = self.outside.settings
        checks = self.desired.startup_of(spec.type)
        boot = number(self.desired.check_settings, "boot", settings.boot_timeout)
        try:
            return wait_until_ready(self.outside.engine, self.outside.look, container, checks, boot, self.desired.main_host, self.cancelled)
        except DeployFailed as failure:
            self._failed(container, failure)
            raise

    def _failed(self, container: Observed, failure: DeployFailed) -> None:
        self._crashed(container, failure.message)
        self._end(container, 0)
        self._clear(container)

    def _crashed(self, container: Observed, reason: str) -> None:
        crashes = self.outside.memory.crashed(container, reason)
        policy = self.desired.restart_policy
        if gives_up(policy, container.exit_code, crashes.count):
            crashes = self.outside.memory.give_up(container)
            reason = f"{reason}; not started again ({policy})"
        report.crashed(self.outside, container, crashes, reason)

    def _must_wait(self, spec: InstanceSpec) -> bool:
        """A plan is made before its own discards: what they found crashed waits for its turn, or was given up."""
        found = self.outside.memory.crashes(spec.app, (spec.type, spec.index))
        if found.wait_until == NEVER and self.desired.restart_policy == ALWAYS:
            return False
        return found.fingerprint == spec.fingerprint and found.wait_until > clock.monotonic()

    def _discard(self, container: Observed) -> None:
        """A container that is dead: what it said is kept. It counts as a crash when it was up before our eyes and is
        still wished; what a reboot or an earlier switch left behind just goes."""
        wished = {(spec.type, spec.index): spec.fingerprint for spec in self.desired.specs}
        if self.outside.memory.is_ready(container.id) and wished.get((container.type, container.index)) == container.fingerprint:
            reason = report.ending(self.outside, container)
            self._crashed(container, reason)
        self._clear(container)

    def _retire(self, container: Observed) -> None:
        """Draining may take long, so it has a thread of its own; nobody waits for it."""
        if self.outside.memory.begin_leaving(container.id):
            threading.Thread(target=self._leave, args=(container,), name=f"retire {container.target}", daemon=True).start()

    def _leave(self, container: Observed) -> None:
        try:
            self._depart(container, self._drain_limit)
        except Exception as error:
            # Forgotten, it is found again and retired anew; remembered as leaving, it would stay for ever.
            print(f"{container.app} {container.name}: {error}", file=sys.stderr, flush=True)
            self.outside.memory.forget(container.id)
        finally:
            self.outside.database.close()

    def _depart(self, container: Observed, drain: float) -> None:
        failpoint.at("drain")
        self._drain(container, drain)
        failpoint.at("stop_old")
        self._end(container, self.outside.settings.stop_timeout)
        report.left(self.outside, container)
        self._clear(container)

    def _vacate(self, containers: list[Observed]) -> None:
        """Ends them and waits until they are gone. Raises Unavailable when that can not be told."""
        if containers:
            self.pause.begin()
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="vacate") as pool:
                list(pool.map(self._vacate_one, containers))

    def _vacate_one(self, container: Observed) -> None:
        began = clock.monotonic()
        try:
            if self.outside.memory.begin_leaving(container.id):
                self._depart(container, self._patience())
            self._wait_until_gone(container)
        except Exception:
            self.outside.memory.forget(container.id)
            raise
        finally:
            self.outside.database.close()
        self.say(f"{container.name} of v{container.release} stopped first, in {clock.monotonic() - began:.1f} s")

    @property
    def _drain_limit(self) -> int:
        """Seconds that requests under way may take: the app's own word before the platform's."""
        return drain_limit(self.desired.check_settings, self.outside.settings)

    def _patience(self) -> float:
        """Requests under way keep others waiting: half of what those have."""
        hold = self.outside.settings.hold_timeout
        return min(self._drain_limit, hold / 2) if hold else self._drain_limit

    def _wait_until_gone(self, container: Observed) -> None:
        """Another thread may have begun its end."""
        end = clock.monotonic() + self._drain_limit + self.outside.settings.stop_timeout + COLLECT_WITHIN
        while any(seen.id == container.id and seen.running for seen in self.outside.engine.observe(container.app)):
            if clock.monotonic() > end:
                raise Unavailable(f"{container.name} of {container.app} does not end", code="not_settled")
            clock.sleep(0.05)

    def _drain(self, container: Observed, limit: float) -> None:
        """Waits until no request is under way, at most `limit` seconds."""
        if not container.port:
            return
        end = clock.monotonic() + limit
        while clock.monotonic() < end and self.outside.proxy.in_flight(container.app).get(container.target, 0):
            clock.sleep(0.05)

    def _end(self, container: Observed, grace: int) -> None:
        self.outside.proxy.release(container.app, container.target)
        if not self.outside.engine.stop(container.id, grace) and grace:
            report.killed(self.outside, container, grace)

    def _clear(self, container: Observed) -> None:
        self.outside.proxy.release(container.app, container.target)
        failpoint.at("collect")
        self.outside.collector.finish(container.id, COLLECT_WITHIN)
        self.outside.engine.remove(container.id)
        self.outside.collector.discard(container.id)
        self.outside.memory.forget(container.id)
