"""Asks the readiness and liveness checks of running instances in their turn, and notes what has changed.

One thread keeps the time, from the first check on; each look has a short-lived thread of its own, a few at a time. Without
checks there is none. What a note leads to (out of the route, a successor) is the plan's to say.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from wherry import clock
from wherry.errors import Unavailable, WherryError
from wherry.model.check import LIVENESS, READINESS, HealthCheck, Result, of_kind
from wherry.reconciler import report
from wherry.reconciler.desired import Desired
from wherry.reconciler.outside import Outside
from wherry.running.checking import age, ask
from wherry.running.engine import Observed

AT_ONCE, PER_APP = 4, 2
"""Looks under way at the same time: in all, and of one app, so that one that hangs does not blind the others."""

Key = tuple[str, HealthCheck]


@dataclass
class Watch:
    """One check of one instance. `due` is monotonic; `failures` counts those in a row; `bad` says that they count."""

    seen: Observed
    check: HealthCheck
    host: str
    due: float
    failures: int = 0
    bad: bool = False
    busy: bool = False
    words: str = ""


class Watcher:
    """Thread-safe. `woken` is called when something changed that the plan should see."""

    def __init__(self, outside: Outside, woken: Callable[[], None]) -> None:
        self.outside = outside
        self._woken = woken
        self._changed = threading.Condition()
        self._watches: dict[Key, Watch] = {}
        self._thread: threading.Thread | None = None
        self._stopping = False

    def follow(self, desired: Desired, containers: list[Observed]) -> None:
        """From now on exactly the checks of `desired` are asked of the app's instances that are ready and stay."""
        memory = self.outside.memory
        watched = [seen for seen in containers if seen.running and memory.is_ready(seen.id) and not memory.is_leaving(seen.id)]
        wanted = {(seen.id, check): seen for seen in watched for check in of_kind(desired.checks_of(seen.type), READINESS, LIVENESS)}
        with self._changed:
            gone = [key for key, watch in self._watches.items() if watch.seen.app == desired.app and key not in wanted]
            dropped = [self._watches.pop(key) for key in gone]
            fresh = {key: self._new(seen, key[1], desired.main_host) for key, seen in wanted.items() if key not in self._watches}
            self._watches.update(fresh)
            if fresh:
                self._run_if_needed()
                self._changed.notify()
        here = {seen.id for seen in watched}
        for watch in dropped:
            if watch.bad and watch.seen.id in here:
                self._forgive(watch)

    def keep(self, containers: set[str]) -> None:
        """Forgets the checks of all other containers."""
        with self._changed:
            self._watches = {key: watch for key, watch in self._watches.items() if key[0] in containers}

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def _new(self, seen: Observed, check: HealthCheck, host: str) -> Watch:
        """The first look comes somewhere within the first turn, so that those of many instances spread."""
        first = max(0.0, check.initial_delay - age(seen)) + random.random() * check.pause
        bad = check.type == READINESS and bool(self.outside.memory.health(seen.id).unready)
        return Watch(seen, check, host, clock.monotonic() + first, bad=bad, failures=check.tries if bad else 0)

    def _run_if_needed(self) -> None:
        if self._watches and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="checks", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                now = clock.monotonic()
                waiting = self._startable()
                due = [watch for watch in waiting if watch.due <= now][:1]
                if not due:
                    self._changed.wait(min((watch.due for watch in waiting), default=now + 3600) - now)
                    continue
                due[0].busy = True
            threading.Thread(target=self._look, args=(due[0],), name=f"check {due[0].seen.target}", daemon=True).start()

    def _startable(self) -> list[Watch]:
        """What may be asked next, the longest due first; none while all hands are busy, none of an app that has its share."""
        busy = Counter(watch.seen.app for watch in self._watches.values() if watch.busy)
        if busy.total() >= AT_ONCE:
            return []
        idle = [watch for watch in self._watches.values() if not watch.busy and busy[watch.seen.app] < PER_APP]
        return sorted(idle, key=lambda watch: watch.due)

    def _look(self, watch: Watch) -> None:
        result: Result | None = None
        try:
            result = ask(self.outside.engine, self.outside.look, watch.seen, watch.check, watch.host)
            if self._turned(watch, result):
                self._note(watch)
                self._woken()
        except Unavailable:
            pass  # an engine that does not answer says nothing about the instance
        except WherryError as error:
            self.outside.platform_line(watch.seen.app, watch.seen.name, f"{watch.check.what}: {error.message}")
        finally:
            with self._changed:
                watch.busy = False
                watch.due = clock.monotonic() + watch.check.pause
                self._changed.notify()
            self.outside.database.close()

    def _turned(self, watch: Watch, result: Result) -> bool:
        """Counts the result; whether it changes what is thought of the instance. One that is gone meanwhile changes nothing."""
        with self._changed:
            watch.failures = 0 if result.passed else watch.failures + 1
            watch.words = result.words
            before, watch.bad = watch.bad, not result.passed if watch.bad else watch.failures >= watch.check.tries
            return before != watch.bad and (watch.seen.id, watch.check) in self._watches

    def _note(self, watch: Watch) -> None:
        """Puts together what all checks of this kind say of the instance, and tells it when that changed."""
        memory, seen = self.outside.memory, watch.seen
        if memory.is_leaving(seen.id):
            return
        words = self._reason(seen.id, watch.check.type)
        before = memory.health(seen.id)
        if watch.check.type == READINESS:
            memory.note_health(seen.id, replace(before, unready=words))
            if bool(words) != bool(before.unready):
                report.unready(self.outside, seen, words) if words else report.ready_again(self.outside, seen, watch.words)
        else:
            memory.note_health(seen.id, replace(before, unhealthy=words))
            if bool(words) != bool(before.unhealthy):
                self._mourn(watch, words)

    def _mourn(self, watch: Watch, words: str) -> None:
        """A failed liveness check counts as a crash: the successor waits its turn."""
        if words:
            crashes = self.outside.memory.crashed(watch.seen, words)
            report.unhealthy(self.outside, watch.seen, crashes, words)
        else:
            report.healthy_again(self.outside, watch.seen, watch.words)

    def _reason(self, container: str, kind: str) -> str:
        """Why the instance is not well, by the first check of this kind that fails; empty when none does."""
        with self._changed:
            bad = [watch for (owner, check), watch in self._watches.items() if owner == container and check.type == kind and watch.bad]
        if not bad:
            return ""
        times = f", {bad[0].check.tries} times in a row" if bad[0].check.tries > 1 else ""
        return f"{bad[0].words or bad[0].check.what}{times}"

    def _forgive(self, watch: Watch) -> None:
        """A check that is not asked any more holds nothing against its instance."""
        watch.words = f"{watch.check.what} is not asked any more"
        self._note(watch)
        self._woken()
