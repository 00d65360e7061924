"""Tells when a build has so little memory that nothing gets on any more: without swap the kernel then pushes out pages of running
programs and reads them back from the disk without end, which ends nothing and is slow for everybody.

Source: the kernel's documentation of cgroups, `workingset_refault_*`: pages that were read again soon after they were pushed out.
"""

from __future__ import annotations

from collections.abc import Callable

from wherry.machine import Memory

LITTLE = 1 / 8
"""Of the memory there is: with more of it free, the kernel pushes out what nobody needs."""
MANY = 1000
"""Pages read again in a second, 4 MB: a disk of any kind has little time left beside them."""
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
    return memory.free < memory.total * LITTLE and memory.refaults - before.refaults > MANY * took
