"""Whose build runs now: a few at a time, the oldest wish first, and none before there is memory for it.

The wishes themselves are in the database; this is only the order among those that have come to their build. An engine that starts
anew takes the operations up again, and they queue here once more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from wherry import clock, machine
from wherry.errors import DeployFailed
from wherry.model import shares
from wherry.model.shares import MB
from wherry.settings import Settings

POLL = 0.2
SOON = "in a moment"
"""A reason to wait that is too short to be said."""
GRACE = 10.0
"""Seconds that those who were here before a restart have to come back to their places."""


@dataclass(frozen=True)
class Waiter:
    """One who waits. `say` takes the reason, each time that it is another one; `cancelled` ends the waiting."""

    number: int
    app: str
    say: Callable[[str], None]
    cancelled: Callable[[], bool]


class BuildQueue:
    """`places` builds at once, each with `needed` bytes of memory free before it starts; `patience` is how long it waits for those,
    in seconds, while no other build could free them."""

    def __init__(self, places: int, needed: int, patience: float, free: Callable[[], int] = machine.memory_free) -> None:
        self._places, self._needed, self._patience, self._free = places, needed, patience, free
        self._changed = threading.Condition()
        self._building: dict[int, str] = {}
        self._waiting: dict[int, str] = {}
        self._expected: set[int] = set()
        self._grace = 0.0

    def expect(self, numbers: set[int]) -> None:
        """These were here before the engine was started anew: nobody newer goes before them, if they come soon."""
        with self._changed:
            self._expected = set(numbers)

    def forget(self, number: int) -> None:
        """It is over, and may never have come to its build."""
        with self._changed:
            self._expected.discard(number)
            self._changed.notify_all()

    @contextmanager
    def turn(self, waiter: Waiter) -> Iterator[None]:
        """Raises DeployFailed when the wait was cancelled or there is no memory."""
        self._wait(waiter)
        try:
            yield
        finally:
            with self._changed:
                del self._building[waiter.number]
                self._changed.notify_all()

    def _wait(self, waiter: Waiter) -> None:
        told, give_up = "", clock.monotonic() + self._patience
        with self._changed:
            self._waiting[waiter.number] = waiter.app
            self._expected.discard(waiter.number)
            self._grace = self._grace or clock.monotonic() + GRACE
        try:
            while why := self._why_not(waiter):
                if why not in (told, SOON):
                    waiter.say(told := why)
                if self._building or waiter.number != min(self._waiting):
                    give_up = clock.monotonic() + self._patience
                self._stop_waiting(waiter, clock.monotonic() > give_up)
                with self._changed:
                    self._changed.wait(POLL)
        finally:
            with self._changed:
                del self._waiting[waiter.number]
                self._changed.notify_all()

    def _why_not(self, waiter: Waiter) -> str:
        """Takes the place and answers nothing, or says why not; in one go, for an older wish may come at any moment."""
        with self._changed:
            return self._ahead_of(waiter) or self._take(waiter)

    def _ahead_of(self, waiter: Waiter) -> str:
        """Who is before this one; empty when it is next and a place is free."""
        before = [app for number, app in sorted(self._waiting.items()) if number < waiter.number]
        if not before and len(self._building) < self._places:
            late = any(number < waiter.number for number in self._expected)
            return SOON if late and clock.monotonic() < self._grace else ""
        apps = [*self._building.values(), *before]
        return f"waiting for the build{'s' if len(apps) > 1 else ''} of {', '.join(apps)}"

    def _take(self, waiter: Waiter) -> str:
        """Takes the place, or says what memory is missing."""
        if self._free() < self._needed:
            return f"waiting for memory: a build starts when {self._needed // MB} MB are free"
        self._building[waiter.number] = waiter.app
        return ""

    def _stop_waiting(self, waiter: Waiter, too_long: bool) -> None:
        if waiter.cancelled():
            raise DeployFailed("the build was cancelled before it began", code="build_cancelled")
        if too_long:
            free = self._free() // MB
            raise DeployFailed(
                f"there is too little memory for a build: {free} MB are free, it needs {self._needed // MB}",
                code="build_no_memory",
                hint="Stop or scale down an app, add swap, or lower WHERRY_BUILD_NEEDS. Who takes it: wherry ps",
            )


def queue_of(settings: Settings) -> BuildQueue:
    """What the settings say, or what suits the machine."""
    memory = machine.memory()
    places = shares.builds(settings.builds, memory, machine.processors())
    return BuildQueue(places, shares.build_needs(settings.build_needs, memory), settings.build_timeout)
