"""What the engine is told by the socket that wakes it. It looks by itself too, so a lost hint costs a moment."""

from __future__ import annotations

import socket
from pathlib import Path

LOOK = b"look"
"""Something of an app, or of what is outside, is or should be different: look at all of them."""
WORK = b"work"
"""An operation waits, and nothing else is new: to look at all apps takes processor time from it, and from visitors."""


def give(door: Path, word: bytes) -> bool:
    """Sends one of the words to the engine's socket. False when nobody listens, or so many wait there that the engine will look anyway."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        try:
            sender.sendto(word, str(door))
        except OSError:
            return False
    return True
