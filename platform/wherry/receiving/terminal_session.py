"""A conversation at a terminal: a process of ours behind a pseudo-terminal, joined to an SSH channel."""

from __future__ import annotations

import os
import select
from contextlib import suppress
from typing import Any

from wherry.receiving.session import CHUNK, GONE, Session
from wherry.receiving.terminal import Terminal

END_OF_INPUT = b"\x04"


class TerminalSession(Session):
    """`controller` is our end of the terminal that is all three streams of `process`."""

    def __init__(self, channel: Any, process: Any, terminal: Terminal, controller: int) -> None:
        super().__init__(channel, process)
        self._terminal = terminal
        self._controller = controller
        os.set_blocking(controller, False)

    def _talk(self) -> None:
        """Sends all that is shown, until no process has the terminal any more."""
        poll = select.poll()
        poll.register(self._controller, select.POLLIN)
        listening = True
        while True:
            poll.poll()
            try:
                data = os.read(self._controller, CHUNK)
            except BlockingIOError:
                continue
            except OSError:
                return
            try:
                if listening:
                    self._channel.sendall(data)
            except GONE:
                listening = False

    def _listen(self) -> None:
        """Keys go to the process; the end of a file that was sent instead of keys is Ctrl-D."""
        while data := self._receive():
            if not self._write(self._controller, data):
                return
        if not self._ended.is_set() and not self._channel.closed:
            self._write(self._controller, END_OF_INPUT)

    def _feed(self) -> None:
        try:
            with suppress(OSError):
                super()._feed()
        finally:
            self._terminal.close()
