"""The person's end of the wire to a run: keys and pipes go in, what the program says comes out, its status is ours."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from typing import Any

from wherry.errors import Unavailable, WherryError
from wherry.faces.cli.address import SocketAddress
from wherry.faces.cli.keyboard import Keyboard
from wherry.faces.cli.problems import as_text
from wherry.faces.cli.session import Session
from wherry.faces.cli.terminal import Terminal
from wherry.model import wire
from wherry.own_name import in_own_name

READ = 32 * 1024
PIECE = 4096
"""What can be written to a pipe or a terminal that is ready without waiting (POSIX: PIPE_BUF)."""

ENGINE_BACK_WITHIN = 10.0
INTERRUPTED = 130


def connect(session: Session, run: dict[str, Any]) -> socket.socket:
    """A connection to the engine over which the ticket of `run` was sent. Raises Unavailable."""
    if isinstance(session.api.address, SocketAddress):
        line = _local(f"{session.terminal.home}/run/attach.sock")
    else:
        line = session.api.upgrade(session.app_path(f"/runs/{run['name']}/actions/attach"), wire.PROTOCOL)
    line.sendall(wire.frame(wire.TICKET, run["ticket"].encode("ascii")))
    return line


def _local(path: str) -> socket.socket:
    """The engine's door; waits for an engine that is just being restarted."""
    end = time.monotonic() + ENGINE_BACK_WITHIN
    while True:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(path)
            return line
        except OSError as error:
            line.close()
            if time.monotonic() > end:
                raise Unavailable("the engine does not take runs now", hint="Try again in a moment.", code="engine_away") from error
        time.sleep(0.2)


class Line:
    """One conversation. Nothing is kept: what the output does not take is not read from the wire."""

    def __init__(self, terminal: Terminal, keyboard: Keyboard, line: socket.socket, name: str) -> None:
        self._terminal, self._keyboard, self._line, self._name = terminal, keyboard, line, name
        self._frames = wire.Frames()
        self._credit = wire.WINDOW
        self._ready = self._input_over = self._interrupted = False
        self._sizes = -1
        self._out = (terminal.stdout.fileno(), terminal.stderr.fileno())
        self._waiting: list[tuple[int, bytes]] = []
        self._status: int | None = None

    def run(self) -> int:
        """Blocks until the program has ended; its exit status. Raises Unavailable when the line was cut."""
        while self._status is None or self._waiting:
            try:
                self._turn()
            except KeyboardInterrupt:
                if self._interrupted or not self._ready:
                    raise
                self._interrupted = True
                self._terminal.complain(f"\nCtrl-C went to {self._name}; once more leaves it, and it ends")
                self._line.sendall(wire.frame(wire.SIGNAL, b"INT"))
        return self._status

    def _turn(self) -> None:
        poll = select.poll()
        if self._waiting:
            poll.register(self._waiting[0][0], select.POLLOUT)
        elif self._status is None:
            poll.register(self._line, select.POLLIN)
        if self._ready and not self._input_over and self._credit > 0 and self._keyboard.descriptor >= 0:
            poll.register(self._keyboard.descriptor, select.POLLIN)
        if self._sizes >= 0:
            poll.register(self._sizes, select.POLLIN)
        seen = dict(poll.poll())
        if self._sizes in seen:
            self._line.sendall(wire.size_frame(*self._keyboard.resized()))
        if self._waiting and self._waiting[0][0] in seen:
            self._write()
        elif self._line.fileno() in seen:
            self._read()
        if self._keyboard.descriptor in seen and not self._input_over and self._status is None:
            self._type()

    def _write(self) -> None:
        descriptor, data = self._waiting[0]
        rest = data[os.write(descriptor, data[:PIECE]) :]
        self._waiting[:1] = [(descriptor, rest)] if rest else []

    def _read(self) -> None:
        while True:
            try:
                data = self._line.recv(READ)
            except OSError:
                data = b""
            if not data and self._status is None:
                raise Unavailable(
                    f"the connection to {self._name} was lost, and it ended with it", code="connection_lost", hint="Run it again."
                )
            for kind, payload in self._frames.feed(data):
                self._take(kind, payload)
            if not getattr(self._line, "pending", int)():  # TLS keeps what it has read ahead where poll can not see it
                return

    def _take(self, kind: bytes, payload: bytes) -> None:
        if kind in (wire.OUT, wire.ERR):
            self._waiting.append((self._out[kind == wire.ERR], payload))
        elif kind == wire.CREDIT:
            self._credit += wire.read_credit(payload)
        elif kind == wire.READY:
            self._begin()
        elif kind == wire.EXIT:
            self._end(json.loads(payload))

    def _begin(self) -> None:
        self._ready = True
        if self._keyboard.is_terminal:
            self._keyboard.let_go()
            self._sizes = self._keyboard.watch_size()
            self._line.sendall(wire.size_frame(*self._keyboard.size()))
        elif self._keyboard.descriptor < 0:
            self._end_input()

    def _type(self) -> None:
        data = os.read(self._keyboard.descriptor, min(READ, self._credit))
        if not data:
            self._end_input()
            return
        self._credit -= len(data)
        self._line.sendall(wire.frames(wire.INPUT, data))

    def _end_input(self) -> None:
        self._input_over = True
        self._line.sendall(wire.frame(wire.END))

    def _end(self, told: dict[str, Any]) -> None:
        """The program's last output stands before what the platform says."""
        self._status = int(told["status"])
        self._keyboard.__exit__()
        if told["message"]:
            code = told["code"] or "stopped"
            text = in_own_name(as_text(WherryError(told["message"], hint=told["hint"], code=code)), self._terminal.name)
            self._waiting.append((self._out[1], f"{text}\n".encode()))
