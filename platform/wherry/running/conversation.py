"""A program that talks with a person: three streams over one socket, a terminal's size, signals, an end."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Protocol

STDOUT, STDERR = 1, 2
HEADER = struct.Struct(">BxxxI")


@dataclass(frozen=True)
class Ending:
    """How a program ended; `exit_code` is None when nobody can tell."""

    exit_code: int | None
    oom: bool = False


class Conversation(Protocol):
    """Promises: `line` is a connected socket; what is sent there is the program's input, and shutting down its writing
    side ends that input. With `tty` all that comes is output, else it comes in frames that `Demultiplexer` reads. `early`
    came before `line` was ours. No method raises when the program is gone already."""

    line: socket.socket
    early: bytes
    tty: bool
    container: str

    def begin(self) -> None:
        """Starts the program. Raises DeployFailed when the engine refuses, Unavailable when it does not answer."""

    def resize(self, rows: int, columns: int) -> None: ...

    def signal(self, name: str) -> None:
        """`name` is INT, TERM, HUP … Before `begin` a program of its own container hears nothing, and begins all the same."""

    def kill(self) -> None:
        """Ends it now, whatever it does."""

    def ending(self) -> Ending:
        """How it ended, once `line` has."""

    def close(self) -> None:
        """Closes the line and removes what was made for this conversation."""


class Demultiplexer:
    """Tells standard output from standard error in Docker's stream; hands a frame's bytes on before it is whole."""

    def __init__(self) -> None:
        self._stream = STDOUT
        self._left = 0
        self._head = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """(STDOUT or STDERR, bytes) in the order in which they came."""
        found: list[tuple[int, bytes]] = []
        at = 0
        while at < len(data):
            if not self._left:
                at = self._read_head(data, at)
                continue
            piece = data[at : at + self._left]
            self._left -= len(piece)
            at += len(piece)
            found.append((self._stream, piece))
        return found

    def _read_head(self, data: bytes, at: int) -> int:
        wanted = HEADER.size - len(self._head)
        self._head += data[at : at + wanted]
        if len(self._head) == HEADER.size:
            stream, self._left = HEADER.unpack(self._head)
            self._stream = STDERR if stream == STDERR else STDOUT
            self._head = b""
        return at + min(wanted, len(data) - at)
