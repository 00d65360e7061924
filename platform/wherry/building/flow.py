"""How much of the processor builds may have while they write more than a disk takes in.

What a program writes goes to memory first, at a gigabyte a second, and the kernel carries it to the disk later, in everybody's time: no
weight and no class of the build's holds that back, and an app that has to be sure of its own few bytes waits behind all of it. So a build
may write some at once, and from then on as much a second as a usual disk takes in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wherry import clock
from wherry.model.shares import GB, MB

AT_ONCE, A_SECOND = GB, 100 * MB
"""Bytes that may come at once, as dependencies do that are unpacked or copied, and bytes a second from then on."""
EVERY = 0.09
"""Seconds between two looks, at least."""
SLOWED = 0.05
"""Processors: of a loop that only writes, some 75 MB a second where this was measured."""


class Flow:
    """Pure but for its clock. One of all builds together. `at_once` and `a_second` are bytes."""

    def __init__(self, now: Callable[[], float] = clock.monotonic, at_once: int = AT_ONCE, a_second: int = A_SECOND) -> None:
        self._now, self._at_once, self._a_second = now, at_once, a_second
        self._at, self._level = now(), 0.0
        self._known: dict[int, int] = {}

    def see(self, written: Mapping[int, int]) -> float:
        """Processors that builds may have now, 0 for all of them. `written` is the bytes that each of their processes wrote so far, by its
        number; of one that has ended, what it wrote since the last look is not known any more."""
        passed = self._now() - self._at
        if passed >= EVERY:
            new = sum(max(0, bytes_ - self._known.get(pid, 0)) for pid, bytes_ in written.items())
            self._level = max(0.0, self._level - passed * self._a_second) + new
            self._at, self._known = self._now(), dict(written)
        return SLOWED if self._level > self._at_once else 0.0
