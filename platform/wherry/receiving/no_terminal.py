"""For a client that asked for a terminal: it gets none, but its own is in raw mode now and wants to be spoken to so.

`ssh -t` gives up when the request is refused, so it is granted in name only; no pseudo-terminal exists on this side.
"""

from __future__ import annotations

from dataclasses import dataclass

INTERRUPT, END_OF_INPUT = b"\x03", b"\x04"


@dataclass(frozen=True)
class Typed:
    """What a person typed: the text for the process, and whether Ctrl-C or Ctrl-D ended it."""

    text: bytes
    interrupt: bool = False
    end: bool = False


def shown(data: bytes) -> bytes:
    """Output for a raw terminal, where a new line does not return the carriage by itself."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def typed(data: bytes) -> Typed:
    """Input of a raw terminal: Enter is a carriage return, Ctrl-C and Ctrl-D are bytes like others."""
    before_interrupt, interrupt, _ = data.partition(INTERRUPT)
    text, end, _ = before_interrupt.partition(END_OF_INPUT)
    return Typed(text.replace(b"\r", b"\n"), bool(interrupt), bool(end))
