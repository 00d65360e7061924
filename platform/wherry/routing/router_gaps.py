"""Counts the lines about requests that HAProxy sent and that never came: it numbers them, whoever takes them."""

from __future__ import annotations

from dataclasses import dataclass

MOST_WORKERS = 8
"""HAProxy's processes that are remembered; a reload makes a new one."""


@dataclass
class Worker:
    """One process of HAProxy. `told` of its lines were called lost, `missing` may be late only."""

    first: int
    highest: int
    received: int = 0
    told: int = 0
    missing: int = 0


class Gaps:
    def __init__(self) -> None:
        self._workers: dict[int, Worker] = {}

    def count(self, datagram: bytes) -> None:
        """Notes that a line arrived, whatever it says."""
        words = datagram.split(b" ", 2)
        if len(words) < 3 or not (words[0].isdigit() and words[1].isdigit()):
            return
        worker = self._worker(int(words[0]), int(words[1]))
        worker.received += 1
        worker.highest = max(worker.highest, int(words[1]))
        worker.first = min(worker.first, int(words[1]))

    def lost(self) -> int:
        """How many lines were lost since the last call. HAProxy's threads overtake each other, so a line counts as lost
        only when it is still missing at the next call."""
        lost = 0
        for worker in self._workers.values():
            missing = worker.highest - worker.first + 1 - worker.received - worker.told
            sure = max(0, min(missing, worker.missing))
            worker.told += sure
            worker.missing = missing - sure
            lost += sure
        return lost

    def _worker(self, pid: int, number: int) -> Worker:
        found = self._workers.get(pid)
        if found is None:
            while len(self._workers) >= MOST_WORKERS:
                del self._workers[next(iter(self._workers))]
            found = self._workers[pid] = Worker(number, number)
        return found
