"""The pusher's terminal, at the far end of a pipe, git and a network: written to with a deadline, never waited for.

When the client dies while much is said, git stops reading and a plain write would hang for ever with the lock held.
"""

from __future__ import annotations

import os
import select
from collections.abc import Sequence

from wherry import clock
from wherry.errors import WherryError
from wherry.own_name import USUAL, in_own_name

PATIENCE = 10.0
"""Seconds without a byte taken after which nobody listens any more."""


class Gone(Exception):
    """Nobody reads what we say: the client is dead or frozen."""


class Screen:
    """Says lines on `descriptor`. Every method raises Gone when the reader is: when it takes nothing for `patience` seconds. `name` is
    what the platform's command is called."""

    def __init__(self, descriptor: int, patience: float = PATIENCE, name: str = USUAL) -> None:
        self._name = name
        self._descriptor = descriptor
        self._patience = patience
        os.set_blocking(descriptor, False)

    def say(self, line: str) -> None:
        rest = memoryview((line + "\n").encode("utf-8", "replace"))
        while rest:
            if not self._ready(select.POLLOUT, self._patience):
                raise Gone(f"nothing was read for {self._patience:g} s")
            try:
                rest = rest[os.write(self._descriptor, rest[: select.PIPE_BUF]) :]
            except BlockingIOError:
                clock.sleep(0.01)
            except BrokenPipeError:
                raise Gone("the reader is gone") from None

    def head(self, text: str) -> None:
        self.say(f"-----> {text}")

    def detail(self, text: str, quoted: Sequence[str] = ()) -> None:
        self.say(f"       {in_own_name(text, self._name, quoted)}")

    def warn(self, text: str, quoted: Sequence[str] = ()) -> None:
        self.say(f" !     {in_own_name(text, self._name, quoted)}")

    def refuse(self, error: WherryError) -> None:
        """The failure as a person reads it: what happened, and under it the way out."""
        self.warn(error.message, error.quoted)
        if error.hint:
            self.detail(error.hint, error.quoted)

    def check(self) -> None:
        """Raises Gone when the reader is, without saying anything."""
        self._ready(0, 0)

    def _ready(self, events: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, events)
        seen = dict(poll.poll(seconds * 1000)).get(self._descriptor, 0)
        if seen & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            raise Gone("the reader is gone")
        return bool(seen & events)
