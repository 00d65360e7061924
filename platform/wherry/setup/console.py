"""How set-up talks: one calm line per step with its time; a failure names the step, the reason and the fix."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TextIO

from wherry import clock
from wherry.errors import WherryError

INDENT = "       "
WORTH_SAYING = 0.95
"""Seconds: a step that is faster does not say how long it took."""


class Console:
    """Writes to a person. On a terminal what goes on is shown in a line that is overwritten; a pipe gets whole lines."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._live = self._out.isatty()
        self._shown = ""

    def heading(self, text: str) -> None:
        self._line(f"-----> {text}")

    def detail(self, text: str) -> None:
        self._line(f"{INDENT}{text}")

    def blank(self) -> None:
        self._line("")

    def warning(self, text: str, hint: str = "") -> None:
        self._line(f" !     {text}")
        if hint:
            self.detail(hint)

    def doing(self, text: str) -> None:
        """What takes longer says so while it runs."""
        if self._live:
            self._out.write(f"\r\x1b[K{INDENT}{text} …")
            self._out.flush()
        elif text != self._shown:
            self._line(f"{INDENT}{text} …")
        self._shown = text

    def step(self, name: str, work: Callable[[], str]) -> None:
        """Does one step and says its sentence; an empty sentence says nothing. Failures get the step's name in front."""
        began = clock.monotonic()
        try:
            said = work()
        except WherryError as error:
            error.message = f"{name}: {error.message}"
            raise
        if said:
            self.detail(said + took(clock.monotonic() - began))

    def failure(self, error: WherryError) -> None:
        self.warning(error.message, error.hint)
        for line in getattr(error, "evidence", ()):
            self.detail(f"  {line}")

    def _line(self, text: str) -> None:
        self._out.write(("\r\x1b[K" if self._live else "") + text + "\n")
        self._out.flush()


def took(seconds: float) -> str:
    """`, 12 s`, or nothing when it is not worth a word."""
    if seconds < WORTH_SAYING:
        return ""
    return f", {seconds / 60:.0f} min {seconds % 60:.0f} s" if seconds >= 120 else f", {seconds:.0f} s"


def several(names: list[str], limit: int = 4) -> str:
    """`a, b and 3 more`."""
    if len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[: limit - 1])} and {len(names) - limit + 1} more"
