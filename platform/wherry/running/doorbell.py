"""Has the program behind a port begun to answer? One connection is held until it is accepted.

Listening is not enough: a server's parent process may listen before its workers have loaded the app (gunicorn does),
and a visitor would wait in the kernel's queue for a worker that never comes.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from wherry.running.engine import Observed


class Closable(Protocol):
    def close(self) -> None: ...


class Ears(Protocol):
    """What is needed of the outside."""

    def connect(self, address: str, port: int) -> Closable | None:
        """An open TCP connection, None when nobody listens."""

    def backlog(self, pid: int, port: int) -> int | None:
        """Connections that wait to be accepted by the listener on `port`; None when that can not be seen."""


class Doorbell:
    """Rings once at an instance and waits. Leaves no connection behind."""

    def __init__(self, ears: Ears, seen: Observed) -> None:
        self._ears = ears
        self._seen = seen
        self._connection: Closable | None = None

    def __enter__(self) -> Doorbell:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._connection is not None:
            self._connection.close()

    def answered(self) -> bool:
        """Whether someone listens and has accepted our connection; where queues can not be seen, whether someone listens."""
        port = self._seen.port or 0
        if self._connection is None:
            self._connection = self._ears.connect(self._seen.address, port)
        return self._connection is not None and not self._ears.backlog(self._seen.pid, port)
