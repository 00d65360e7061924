"""Whether builds have the processor only while nobody else wants it: the kernel's idle class, and a little more where that is too little.

A low weight alone makes an app wait: what runs keeps its turn, up to 5 ms, whoever wakes up meanwhile. A group of the idle class gives
way at once. But it gets next to nothing on a machine whose apps never rest, and such builds would never end. So whenever builds had less
than their sixteenth of a processor for a second, they have their weight for the next one.
"""

from __future__ import annotations

from collections.abc import Callable

from wherry import clock

EVERY = 1.0
LEAST = 1 / 16
"""Seconds between two looks, and the processors that builds have at least of one when they want it. What only waits for a download uses
less, and is never in the way."""


class Idleness:
    """Pure but for its clock. One of all builds together."""

    def __init__(self, now: Callable[[], float] = clock.monotonic) -> None:
        self._now = now
        self._at, self._used = now(), 0.0
        self._idle = True

    def see(self, used: float) -> bool:
        """`used` is the seconds of processor time that builds have had so far; True when they shall give way to everybody."""
        passed = self._now() - self._at
        if passed >= EVERY:
            self._idle = used - self._used >= LEAST * passed
            self._at, self._used = self._now(), used
        return self._idle
