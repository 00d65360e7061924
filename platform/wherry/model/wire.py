"""The wire of `run` and `enter`: frames between a person's end and the engine's. Pure.

A frame is its kind (one byte), the length of its payload (four bytes, the highest first) and the payload.

    person to engine                            engine to person
    T  the ticket, first of all                 R  ready: from now on the program listens
    I  input                                    1  standard output (and all that a terminal shows)
    E  end of input                             2  standard error
    W  size of the terminal: rows, columns      C  credit: so many more bytes of input may come
    S  a signal for the program: INT, TERM …    X  the end: {"status", "message", "hint", "code"}, as JSON

Input is sent on credit, WINDOW bytes at first, so that a program that does not read holds back its input and nothing
else: sizes, signals and the end of the line always come through, and neither end needs memory.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

TICKET, INPUT, END, SIZE, SIGNAL = b"T", b"I", b"E", b"W", b"S"
READY, OUT, ERR, CREDIT, EXIT = b"R", b"1", b"2", b"C", b"X"
KINDS = b"TIEWSR12CX"

PROTOCOL = "wherry-run"
"""The name of this wire in an HTTP `Upgrade` header."""

WINDOW = 256 * 1024
LARGEST = 64 * 1024
SIGNALS = ("INT", "TERM", "QUIT", "HUP", "USR1", "USR2")

HEADER = struct.Struct(">cI")
SCREEN = struct.Struct(">HH")
COUNT = struct.Struct(">I")


class BrokenWire(Exception):
    """What came is no frame."""


class Frame(NamedTuple):
    kind: bytes
    payload: bytes


class Frames:
    """Takes bytes as they come and hands out the frames that are whole."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Raises BrokenWire."""
        self._rest += data
        found: list[Frame] = []
        at = 0
        while len(self._rest) - at >= HEADER.size:
            kind, size = HEADER.unpack_from(self._rest, at)
            if kind not in KINDS or size > LARGEST:
                raise BrokenWire(f"no frame: kind {kind!a}, {size} bytes")
            end = at + HEADER.size + size
            if end > len(self._rest):
                break
            found.append(Frame(kind, bytes(self._rest[at + HEADER.size : end])))
            at = end
        del self._rest[:at]
        return found


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def frames(kind: bytes, data: bytes) -> bytes:
    """`data` of any length as frames."""
    return b"".join(frame(kind, data[at : at + LARGEST]) for at in range(0, len(data), LARGEST))


def size_frame(rows: int, columns: int) -> bytes:
    return frame(SIZE, SCREEN.pack(min(rows, 9999), min(columns, 9999)))


def read_size(payload: bytes) -> tuple[int, int]:
    """(rows, columns). Raises BrokenWire."""
    if len(payload) != SCREEN.size:
        raise BrokenWire("no size of a terminal")
    rows, columns = SCREEN.unpack(payload)
    return rows, columns


def credit_frame(count: int) -> bytes:
    return frame(CREDIT, COUNT.pack(count))


def read_credit(payload: bytes) -> int:
    """Raises BrokenWire."""
    if len(payload) != COUNT.size:
        raise BrokenWire("no credit")
    return int(COUNT.unpack(payload)[0])
