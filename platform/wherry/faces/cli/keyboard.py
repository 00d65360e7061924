"""The person's terminal while a program elsewhere has it: every key goes there as it is, and it is given back in the end."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

from wherry.faces.cli.terminal import Terminal

ADOPT = "WHERRY_TERMINAL"
"""Set by the SSH receiver: standard input is a terminal that was made for this process alone."""


class Keyboard:
    """Standard input and output of this process; a terminal when both are one. As a context it gives the terminal back."""

    def __init__(self, terminal: Terminal, wanted: bool = True) -> None:
        self.descriptor = _descriptor(terminal)
        self.is_terminal = wanted and self.descriptor >= 0 and os.isatty(self.descriptor) and terminal.interactive
        self._before: list[Any] | None = None
        self._woken, self._wake = -1, -1
        if terminal.environ.get(ADOPT):
            self._adopt()

    def __enter__(self) -> Keyboard:
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            import termios

            with suppress(termios.error):
                termios.tcsetattr(self.descriptor, termios.TCSADRAIN, self._before)
            self._before = None

    def size(self) -> tuple[int, int]:
        """(rows, columns); 0 where the terminal does not know."""
        try:
            found = os.get_terminal_size(self.descriptor)
        except OSError:
            return 0, 0
        return found.lines, found.columns

    def let_go(self) -> None:
        """From now on keys come as they are pressed, Ctrl-C among them. A signal that ends us gives the terminal back."""
        import termios
        import tty

        self._before = termios.tcgetattr(self.descriptor)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave)
        tty.setraw(self.descriptor, termios.TCSADRAIN)

    def watch_size(self) -> int:
        """A descriptor that becomes readable whenever the window changes; read it with `resized`."""
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGWINCH, self._changed)
        return self._woken

    def resized(self) -> tuple[int, int]:
        os.read(self._woken, 4096)
        return self.size()

    def _changed(self, _number: int, _frame: FrameType | None) -> None:
        with suppress(BlockingIOError):
            os.write(self._wake, b"!")

    def _adopt(self) -> None:
        """A session's first terminal that is opened becomes its own; only then signals come from its keys."""
        with suppress(OSError):
            os.close(os.open(os.ttyname(self.descriptor), os.O_RDWR))


def _descriptor(terminal: Terminal) -> int:
    """-1 when standard input is closed."""
    try:
        return terminal.stdin.fileno()
    except (OSError, ValueError):
        return -1


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
