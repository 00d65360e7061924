"""Tells when a build has so little memory that nothing gets on any more: without swap the kernel then pushes out pages of running
programs and reads them back from the disk without end, which ends nothing and is slow for everybody.

Seen on 512 MB with a fast disk: 90 MB are free all the time, 60,000 to 100,000 pages a second come back, and for 65-98 % of the time
somebody waits for one. A build that fits reads a few hundred again. Source: the kernel's documentation of `workingset_refault_*` (pages
read again soon after they were pushed out) and of `/proc/pressure` (PSI, which not every kernel has).
"""

from __future__ import annotations

from collections.abc import Callable

from wherry.machine import Memory

LITTLE = 1 / 4
"""Of the memory there is: with more of it free, or taken by files that can be had back, programs keep their pages."""
MANY = 1000
"""Pages read again in a second, 4 MB: what a slow card has little time beside."""
MOST_OF_IT = 0.6
"""Of the time, in which somebody waits for memory; where the kernel tells that."""
EVERY = 1.0
PATIENCE = 20.0
"""Seconds of it after which a build is one that only suffers. A second without takes one back: it may get out of it by itself."""


class Shortage:
    """One build's. `memories` tells of the machine and of the cgroups of builds, each by its name; times are seconds of one clock."""

    def __init__(self, memories: Callable[[], dict[str, Memory]]) -> None:
        self._memories = memories
        self._before: dict[str, Memory] = {}
        self._at = float("-inf")
        self._suffered: dict[str, float] = {}

    def see(self, now: float) -> str:
        """Which of them has been short for too long; empty while none has. To be asked at any pace."""
        took = now - self._at
        if took >= EVERY:
            seen = self._memories()
            for name in seen.keys() & self._before.keys():
                worse = took if _short(self._before[name], seen[name], took) else -took
                self._suffered[name] = max(0.0, self._suffered.get(name, 0.0) + worse)
            self._before, self._at = seen, now
        return next((name for name, seconds in self._suffered.items() if seconds >= PATIENCE), "")


def _short(before: Memory, memory: Memory, took: float) -> bool:
    waits = memory.waited is None or before.waited is None or memory.waited - before.waited > MOST_OF_IT * took
    return memory.free < memory.total * LITTLE and memory.refaults - before.refaults > MANY * took and waits
