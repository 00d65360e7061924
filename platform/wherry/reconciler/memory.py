"""What the engine process knows about containers beyond what Docker shows: proven ready, leaving, waiting for a next try.

Everything here can be lost: a new engine proves it again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from wherry import clock
from wherry.running.engine import Observed

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
FORGIVEN_AFTER = 300.0
"""Seconds of running after which earlier crashes no longer count."""

NEVER = math.inf
"""The wait of a slot that was given up."""

Slot = tuple[str, int]


@dataclass(frozen=True)
class Crashes:
    """How often a slot crashed in a row, when it may be tried again (monotonic), and what its last end was."""

    count: int = 0
    wait_until: float = 0.0
    last: float = 0.0
    reason: str = ""
    fingerprint: str = ""


@dataclass(frozen=True)
class Health:
    """What the checks of a running instance see: why it should get no visitors, and why it is to be replaced. Empty when all
    is well."""

    unready: str = ""
    unhealthy: str = ""


class Memory:
    """Thread-safe. Container ids are Docker's full ids."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: set[str] = set()
        self._leaving: set[str] = set()
        self._health: dict[str, Health] = {}
        self._crashes: dict[tuple[str, Slot], Crashes] = {}
        self._moving: set[str] = set()
        self._busy: dict[str, threading.RLock] = {}
        self._kept: set[str] = set()
        self.fronts: dict[str, str] = {}
        """The fingerprint of each app's front as the proxy took it up last."""

    @contextmanager
    def alone(self, app: str) -> Iterator[None]:
        """One thread at a time moves an app's instances and route."""
        with self._lock:
            lock = self._busy.setdefault(app, threading.RLock())
        with lock:
            self.keep_no_longer(app)
            yield

    def keep_for_an_operation(self, app: str) -> None:
        """Until an operation is `alone` with the app, or needs it no longer, nobody gets it by `alone_now`."""
        with self._lock:
            self._kept.add(app)

    def keep_no_longer(self, app: str) -> None:
        with self._lock:
            self._kept.discard(app)

    @contextmanager
    def alone_now(self, app: str) -> Iterator[bool]:
        """Like `alone`, but does not wait: False when another thread has the app, or it is kept for an operation."""
        with self._lock:
            lock = self._busy.setdefault(app, threading.RLock())
            got = app not in self._kept and lock.acquire(blocking=False)
        try:
            yield got
        finally:
            if got:
                lock.release()

    @contextmanager
    def moving(self, *names: str) -> Iterator[None]:
        """While an app changes its name, containers of both names belong to it, whatever the database says."""
        with self._lock:
            self._moving |= set(names)
        try:
            yield
        finally:
            with self._lock:
                self._moving -= set(names)

    def is_moving(self, app: str) -> bool:
        return app in self._moving

    def is_ready(self, container: str) -> bool:
        return container in self._ready

    def mark_ready(self, container: str) -> None:
        with self._lock:
            self._ready.add(container)

    def begin_leaving(self, container: str) -> bool:
        """True for the first caller only: the end of a container has one owner."""
        with self._lock:
            fresh = container not in self._leaving
            self._leaving.add(container)
            return fresh

    def is_leaving(self, container: str) -> bool:
        return container in self._leaving

    def forget(self, container: str) -> None:
        with self._lock:
            self._ready.discard(container)
            self._leaving.discard(container)
            self._health.pop(container, None)

    def health(self, container: str) -> Health:
        return self._health.get(container, Health())

    def note_health(self, container: str, health: Health) -> None:
        with self._lock:
            self._health[container] = health

    def crashed(self, seen: Observed, reason: str) -> Crashes:
        """Counts a crash; the first try comes at once, the later ones after growing waits. A new spec starts afresh."""
        now = clock.monotonic()
        with self._lock:
            key = (seen.app, (seen.type, seen.index))
            before = self._crashes.get(key, Crashes())
            if before.fingerprint != seen.fingerprint or now - before.last > FORGIVEN_AFTER + LONGEST_WAIT:
                before = Crashes()
            wait = 0.0 if before.count == 0 else min(LONGEST_WAIT, FIRST_WAIT * 2 ** (before.count - 1))
            after = Crashes(before.count + 1, now + wait, now, reason, seen.fingerprint)
            self._crashes[key] = after
            return after

    def give_up(self, seen: Observed) -> Crashes:
        """It is not tried again, until its spec is another or a person asks for a restart."""
        with self._lock:
            key = (seen.app, (seen.type, seen.index))
            after = self._crashes[key] = replace(self._crashes[key], wait_until=NEVER)
            return after

    def crashes(self, app: str, slot: Slot) -> Crashes:
        with self._lock:
            return self._crashes.get((app, slot), Crashes())

    def waits(self, app: str) -> dict[Slot, tuple[float, str]]:
        """The slots of an app that wait: until when, and for which fingerprint."""
        with self._lock:
            return {slot: (found.wait_until, found.fingerprint) for (name, slot), found in self._crashes.items() if name == app}

    def next_try(self) -> float | None:
        """The monotonic time of the earliest waiting try, None when nothing waits."""
        now = clock.monotonic()
        with self._lock:
            return min((found.wait_until for found in self._crashes.values() if now < found.wait_until < NEVER), default=None)

    def forgive(self, app: str) -> None:
        """A person asked for a fresh start: nothing waits any more, the counts stay for the record."""
        with self._lock:
            for key, found in self._crashes.items():
                if key[0] == app:
                    self._crashes[key] = replace(found, wait_until=0.0, count=0)

    def forget_app(self, app: str) -> None:
        with self._lock:
            for key in [key for key in self._crashes if key[0] == app]:
                del self._crashes[key]
            self.fronts.pop(app, None)
