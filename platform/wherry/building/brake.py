"""How much of the processor builds may have while one of them starts processes as nothing does that builds an app.

To start and end a process takes the kernel up to a millisecond in which it lets nobody else have a turn, so it does not help that builds
give way: what counts is how many of those there are at a time. Slowed down, a build that only forks comes to its limit all the same,
and is ended there. What was honest work goes on once no more are started.
"""

from __future__ import annotations

from collections.abc import Callable

from wherry import clock

STORM, CALM = 200.0, 50.0
"""Processes and threads more in a second that are a storm, and from which on it is over."""
MANY = 4
"""In a storm builds have this part of what they may have already: a program that starts has its threads at once."""
EVERY = 0.09
"""Seconds between two looks, at least."""
REST = 1.0
"""Seconds after its last sight that a storm is taken to last."""
SLOWED = 0.1
"""Processors."""


class Brake:
    """Pure but for its clock. One of all builds together."""

    def __init__(self, now: Callable[[], float] = clock.monotonic) -> None:
        self._now = now
        self._at, self._pids = now(), 0
        self._until = self._at

    def see(self, pids: int, most: int) -> float:
        """Processors that builds may have now, 0 for all of them. `pids` is how many processes and threads they have, of `most`."""
        now = self._now()
        passed = now - self._at
        if passed >= EVERY:
            pace = (pids - self._pids) / passed
            if (pace > STORM and pids > most / MANY) or (pace > CALM and now < self._until):
                self._until = now + REST
            self._at, self._pids = now, pids
        return SLOWED if now < self._until else 0.0
