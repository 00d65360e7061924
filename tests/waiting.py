"""Waiting for what another process or thread does: the one place that says how long a test has patience.

A minute, for a busy machine may let a thread wait for seconds; what is true at once costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0


def within(seconds: float, true: Callable[[], object]) -> bool:
    """Whether `true()` becomes true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def until(true: Callable[[], object], seconds: float = PATIENCE, what: str = "it") -> None:
    """Waits until `true()`; fails after `seconds`."""
    assert within(seconds, true), f"{what} did not become true within {seconds:g} s"
