"""Files of cgroups that hold what they should, made sure of ten times a second and read once a second."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from wherry import clock, machine

BELIEVED = 1.0
"""Seconds for which it is believed that a file holds what it was seen to hold: each step of a build has a cgroup of a name of its own."""


class Held:
    """Of all builds together. `now` is seconds that only grow."""

    def __init__(self, now: Callable[[], float] = clock.monotonic) -> None:
        self._now = now
        self._since = now()
        self._seen: dict[Path, str] = {}

    def hold(self, path: Path, value: str) -> bool:
        """Writes what is not there yet; False where this process may not, or the kernel does not take it. After a change nothing is
        believed any more: it may have undone others, as the idle class does with the weight."""
        self._grow_old()
        if self._seen.get(path) == value:
            return True
        if text(path) == value:
            self._seen[path] = value
            return True
        with contextlib.suppress(OSError):
            path.write_text(value, "ascii")
            self._seen.clear()
            return True
        return False

    def _grow_old(self) -> None:
        if self._now() - self._since > BELIEVED:
            self._since = self._now()
            self._seen.clear()


def text(path: Path | str) -> str:
    """Empty for a cgroup that is gone by the time it is read: a step has ended."""
    with contextlib.suppress(OSError):
        return machine.text_of(path).strip()
    return ""
