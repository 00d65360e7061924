"""Slow clients: a socket that has not said all it has to say by its deadline is shut for reading.

One watching thread for all sockets, started with the first deadline. A timeout per read would not do: a byte every
nine seconds keeps that waiting for ever. Where a crowd is late on purpose, those who are new here have less time: else a
few half requests would hold every thread that there is.
"""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from wherry import clock

LOOK_EVERY = 0.5
HURRIED = 1.0
"""Seconds that is left to each of a crowd."""


class Deadline:
    """`passed` is true once the socket was shut for being late."""

    __slots__ = ("at", "hurried", "passed", "socket")

    def __init__(self, sock: socket.socket, at: float, hurried: float = math.inf) -> None:
        """`at` and, in a crowd, `hurried` are monotonic seconds."""
        self.socket = sock
        self.at = at
        self.hurried = hurried
        self.passed = False


class Deadlines:
    """All deadlines of this process. Safe to share between threads. `crowd` of them that may be hurried are too many."""

    def __init__(self, crowd: int = 12) -> None:
        self._crowd = crowd
        self._open: set[Deadline] = set()
        self._changed = threading.Condition()
        self._watching = False

    @contextmanager
    def within(self, sock: socket.socket | None, seconds: float) -> Iterator[Deadline]:
        """What is read from `sock` inside the block ends with end-of-file after `seconds`."""
        deadline = self.start(sock, seconds)
        try:
            yield deadline
        finally:
            self.lift(deadline)

    def start(self, sock: socket.socket | None, seconds: float, hurry: bool = False) -> Deadline:
        """Without a socket (the client is in this process) nobody can be late. `hurry`: it may be hurried in a crowd."""
        if sock is None:
            return Deadline(_NOBODY, 0)
        now = clock.monotonic()
        deadline = Deadline(sock, now + seconds, now + HURRIED if hurry else math.inf)
        with self._changed:
            self._open.add(deadline)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="deadlines", daemon=True).start()
            self._changed.notify()
        return deadline

    def lift(self, deadline: Deadline) -> None:
        with self._changed:
            self._open.discard(deadline)

    def _watch(self) -> None:
        while True:
            with self._changed:
                while not self._open:
                    self._changed.wait()
                self._shut_late()
            clock.sleep(LOOK_EVERY)

    def _shut_late(self) -> None:
        now = clock.monotonic()
        crowded = sum(each.hurried < math.inf for each in self._open) >= self._crowd
        for deadline in [each for each in self._open if each.at <= now or (crowded and each.hurried <= now)]:
            deadline.passed = True
            self._open.discard(deadline)
            with suppress(OSError):
                deadline.socket.shutdown(socket.SHUT_RD)


_NOBODY = socket.socket(socket.AF_UNIX)
_NOBODY.close()
DEADLINES = Deadlines()
