"""Processes inside of a living instance that were killed for want of memory: a worker of a server, a child of a job.

The instance goes on, so nothing crashes, and nobody would know. Docker tells it as a happening of the container; a moment later it is
clear whether the instance lived on. One that did not is told by its crash.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from wherry import clock
from wherry.errors import WherryError
from wherry.reconciler import report
from wherry.reconciler.outside import Outside
from wherry.running.engine import Observed

SETTLED = 2.0
"""Seconds after which a container whose first process was killed is seen as dead."""
QUIET = 60.0
"""Seconds between two lines about one instance: what is killed again and again is counted meanwhile."""


class Starved:
    """`heard` may be called from any thread, `look` by the loop."""

    def __init__(self, outside: Outside, settled: float = SETTLED) -> None:
        self._outside, self._settled = outside, settled
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._due: dict[str, float] = {}

    def heard(self, container: str) -> None:
        """The engine says that something in this container was killed for memory."""
        with self._lock:
            self._counts[container] = self._counts.get(container, 0) + 1
            self._due.setdefault(container, clock.monotonic() + self._settled)

    def look(self, containers: Iterable[Observed]) -> None:
        """Tells of those that run on, and forgets those that do not."""
        running = {seen.id: seen for seen in containers if seen.running}
        for container, count in self._taken(running.keys()):
            try:
                report.starved(self._outside, running[container], count)
            except WherryError:  # its app went meanwhile
                continue

    def _taken(self, running: Iterable[str]) -> list[tuple[str, int]]:
        now, alive = clock.monotonic(), set(running)
        with self._lock:
            over = [known for known, at in self._due.items() if at <= now and (known not in alive or not self._counts.get(known))]
            for container in over:
                del self._due[container]
                self._counts.pop(container, None)
            due = [known for known, at in self._due.items() if at <= now]
            self._due |= dict.fromkeys(due, now + QUIET)
            return [(container, self._counts.pop(container)) for container in due]
