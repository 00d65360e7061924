"""One platform per home: a lock that the kernel frees the moment its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from wherry import clock
from wherry.errors import Conflict

WIDTH = 12
"""The number of the holder is written over the one before, which takes no room on a disk that is full."""
PATIENCE = 2.0
"""Seconds to wait for a holder that is just ending."""


def hold(path: Path) -> int:
    """Takes the lock and returns the descriptor that holds it until it is closed.

    The file says who holds it and is never removed: a lock on a removed file keeps nobody out.
    Raises Conflict when another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    deadline = clock.monotonic() + PATIENCE
    while not _try(descriptor):
        if clock.monotonic() > deadline:
            holder = holder_of(path)
            os.close(descriptor)
            raise Conflict(
                f"a platform runs on {path.parent.parent} already (process {holder or 'unknown'})",
                code="already_serving",
                hint="Stop it with scripts/down, or give this one another WHERRY_HOME.",
            )
        clock.sleep(0.05)
    os.pwrite(descriptor, f"{os.getpid():<{WIDTH}}\n".encode(), 0)
    return descriptor


def holder_of(path: Path) -> int:
    """The process that holds the lock, or 0 when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        return 0 if _try(descriptor, fcntl.LOCK_SH) else int(os.read(descriptor, 20) or b"0")
    finally:
        os.close(descriptor)


def _try(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
