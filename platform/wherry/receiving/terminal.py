"""The terminal of a client: its kind and size, and the pseudo-terminal that stands for it on this side when there is one."""

from __future__ import annotations

import os
import re
import struct
import threading
from contextlib import suppress
from fcntl import ioctl
from termios import TIOCSWINSZ

LARGEST = 9999


class Terminal:
    """What `pty-req` and `window-change` told. `term` is safe to hand to a program."""

    def __init__(self, term: bytes, columns: int, rows: int) -> None:
        text = term.decode("ascii", "replace")
        self.term = text if re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,39}", text) else "xterm"
        self._size = (rows, columns)
        self._controller = -1
        self._lock = threading.Lock()

    def open(self) -> tuple[int, int]:
        """A pseudo-terminal of this size: our end, and the end for a program. Both belong to the caller. Raises OSError."""
        controller, program = os.openpty()
        with self._lock:
            self._controller = controller
        self.resize(*self._size[::-1])
        return controller, program

    def close(self) -> None:
        """Closes our end; sizes that come later mean nothing."""
        with self._lock:
            controller, self._controller = self._controller, -1
        if controller >= 0:
            os.close(controller)

    def resize(self, columns: int, rows: int) -> None:
        """The kernel tells the program (SIGWINCH)."""
        with self._lock, suppress(OSError):
            self._size = (min(rows, LARGEST), min(columns, LARGEST))
            if self._controller >= 0:
                ioctl(self._controller, TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))
