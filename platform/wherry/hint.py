"""What the engine can be told by the socket that wakes it. It looks by itself too, so a lost hint costs a moment."""

from __future__ import annotations

LOOK = b"look"
"""Something of an app, or of what is outside, is or should be different: look at all of them."""
WORK = b"work"
"""An operation waits, and nothing else is new: to look at all apps takes processor time from it, and from visitors."""
