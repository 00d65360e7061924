"""Pushes to one app take turns, so that what git records and what runs are the same commit.

The lock is the receiver's open file, inherited through git: it stays held until git has moved the ref and ended, and
the kernel frees it when both hook and git are gone.
"""

from __future__ import annotations

import fcntl

from wherry import clock
from wherry.faces.git_hook.screen import Screen

POLL = 0.05


def take(descriptor: int, screen: Screen, app: str) -> None:
    """Blocks until it is our turn, saying so if it is not. Raises Gone when the client leaves meanwhile."""
    told = False
    while not _try(descriptor):
        if not told:
            screen.detail(f"waiting for another push to {app}")
            told = True
        screen.check()
        clock.sleep(POLL)


def give_up(descriptor: int) -> None:
    """Lets the next one in although git, stuck behind a frozen client, has not ended."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
