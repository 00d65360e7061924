"""Moves bytes between a person's end of the wire and a program, until one of them ends. One thread, no growth.

A client that does not read holds back the program's output, a program that does not read holds back the client's
input, and neither holds back anything else.
"""

from __future__ import annotations

import select
import socket
from contextlib import suppress

from wherry.model import wire
from wherry.running.conversation import STDERR, STDOUT, Conversation, Demultiplexer

READ = 64 * 1024
FULL = 128 * 1024
"""Bytes for a client that does not read, above which the program is not listened to."""

NO_COMMAND = (b"[FATAL tini (", b"OCI runtime exec failed")
"""How Docker's helpers begin to say that a command is not in the image; nothing else is said then."""

KIND = {STDOUT: wire.OUT, STDERR: wire.ERR}


class Pump:
    """`talk` has begun. `absent` says that the command was not in the image."""

    def __init__(self, client: socket.socket, talk: Conversation, frames: wire.Frames) -> None:
        self.absent = False
        self._client, self._talk, self._frames = client, talk, frames
        self._demultiplexer = None if talk.tty else Demultiplexer()
        self._inbox, self._outbox = bytearray(), bytearray()
        self._credit = wire.WINDOW
        self._spoke = self._input_ends = self._input_ended = False
        self._over = self._gone = False

    def run(self) -> bool:
        """Blocks until the program has said its last and the client has all of it; False when the client left."""
        self._client.setblocking(False)
        self._talk.line.setblocking(False)
        self._hear(self._talk.early)
        while not self._gone and (self._outbox or not self._over):
            self._turn()
        return not self._gone

    def _turn(self) -> None:
        poll = select.poll()
        line, client = self._talk.line.fileno(), self._client.fileno()
        poll.register(client, select.POLLIN | (select.POLLOUT if self._outbox else 0))
        interest = (select.POLLIN if len(self._outbox) < FULL else 0) | (select.POLLOUT if self._inbox else 0)
        if interest and not self._over:
            poll.register(line, interest)
        seen = dict(poll.poll())
        if seen.get(line, 0) & ~select.POLLOUT:
            self._from_program()
        if self._inbox and seen.get(line, 0) & select.POLLOUT:
            self._to_program()
        if seen.get(client, 0) & ~select.POLLOUT:
            self._from_client()
        if self._outbox and seen.get(client, 0) & select.POLLOUT:
            self._to_client()

    def _from_program(self) -> None:
        try:
            data = self._talk.line.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._over = not data
        self._hear(data)

    def _hear(self, data: bytes) -> None:
        if not self._spoke and data:
            self._spoke = True
            self.absent = data[0 if self._talk.tty else 8 :].startswith(NO_COMMAND)
        if self.absent:
            return
        for stream, piece in [(STDOUT, data)] if self._demultiplexer is None else self._demultiplexer.feed(data):
            self._outbox += wire.frames(KIND[stream], piece)

    def _to_program(self) -> None:
        try:
            count = self._talk.line.send(self._inbox[:READ])
        except BlockingIOError:
            return
        except OSError:
            count = len(self._inbox)  # it reads no more: what it was sent is lost, as in a pipe
        del self._inbox[:count]
        self._credit += count
        self._outbox += wire.credit_frame(count)
        self._end_input()

    def _end_input(self) -> None:
        if self._input_ends and not self._inbox and not self._input_ended:
            self._input_ended = True
            if not self._talk.tty:
                with suppress(OSError):
                    self._talk.line.shutdown(socket.SHUT_WR)

    def _from_client(self) -> None:
        try:
            data = self._client.recv(READ)
            self._gone = not data
            self._take(self._frames.feed(data))
        except BlockingIOError:
            return
        except (OSError, wire.BrokenWire):
            self._gone = True

    def _take(self, frames: list[wire.Frame]) -> None:
        """Raises BrokenWire for a client that does not keep to the wire."""
        size = None
        for kind, payload in frames:
            if kind == wire.INPUT:
                self._accept(payload)
            elif kind == wire.END:
                self._input_ends = True
                self._end_input()
            elif kind == wire.SIZE:
                size = wire.read_size(payload)
            elif kind == wire.SIGNAL and payload.decode("ascii", "replace") in wire.SIGNALS:
                self._talk.signal(payload.decode("ascii"))
        if size and self._talk.tty:
            self._talk.resize(*size)

    def _accept(self, data: bytes) -> None:
        self._credit -= len(data)
        if self._credit < 0 or self._input_ends:
            raise wire.BrokenWire("more input than there was credit for")
        self._inbox += data

    def _to_client(self) -> None:
        try:
            del self._outbox[: self._client.send(self._outbox[:READ])]
        except BlockingIOError:
            return
        except OSError:
            self._gone = True
