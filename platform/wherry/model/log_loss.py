"""The lines that tell of lines that are not there, in Heroku's words: who lost them, how many, and why."""

from __future__ import annotations

DRAIN = "Error L10 (output buffer overflow)"
TAIL = "Error L11 (tail buffer overflow)"
COLLECTOR = "Error L12 (local buffer overflow)"
DISK = "Error L13 (local delivery error)"


def lost(code: str, count: int | None, why: str, about: bool = False) -> str:
    """`lost(DRAIN, 12, "it answers 400")`; a count of None is one that nobody knows, `about` one that was estimated."""
    roughly = "about " if about else ""
    messages = "messages" if count is None else f"{roughly}{count} message{'' if count == 1 else 's'}"
    return f"{code}: {messages} dropped: {why}"
