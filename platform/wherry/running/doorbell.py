"""Has the program behind a port begun to answer? One connection is held until it is accepted.

Listening is not enough: a server's parent process may listen before its workers have loaded the app (gunicorn does),
and a visitor would wait in the kernel's queue for a worker that never comes.
"""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Protocol

from wherry.running.engine import Observed


class Witness(Protocol):
    """Looks into the queues of one instance for as long as it starts."""

    def accepted(self, connection: socket.socket) -> bool | None:
        """Whether the program accepted our `connection`; None when that can not be seen."""

    def close(self) -> None:
        """Lets go of the instance."""


class Ears(Protocol):
    """What is needed of the outside."""

    def connect(self, address: str, port: int) -> socket.socket | None:
        """An open TCP connection, None when nobody listens."""

    def witness(self, pid: int) -> Witness:
        """Who sees whom the instance of this process accepts; to be closed."""


class Doorbell:
    """Rings once at an instance and waits. Leaves no connection behind."""

    def __init__(self, ears: Ears, seen: Observed) -> None:
        self._ears = ears
        self._seen = seen
        self._connection: socket.socket | None = None
        self._witness = ears.witness(seen.pid)

    def __enter__(self) -> Doorbell:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._witness.close()
        if self._connection is not None:
            self._connection.close()

    def answered(self) -> bool:
        """Whether someone listens and has accepted our connection; where queues can not be seen, whether someone listens."""
        if self._connection is None:
            self._connection = self._ears.connect(self._seen.address, self._seen.port or 0)
        if self._connection is None:
            return False
        match _heard(self._connection):
            case "reset":
                self._connection.close()
                self._connection = None
                return False
            case "something":
                return True
        return self._witness.accepted(self._connection) is not False


def _heard(connection: socket.socket) -> str:
    """`something` when the other side spoke or hung up, `reset` when its listener ended before it accepted, else `nothing`."""
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return "nothing"
    except OSError:
        return "reset"
    return "something"
