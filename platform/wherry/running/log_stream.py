"""Docker's log stream, read as it arrives: an HTTP/1.0 answer, frames with an 8-byte header, lines cut into pieces.

A frame is its output (1 stdout, 2 stderr, 3 the daemon's own error), its length, and `<timestamp> <text>`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from wherry.model.log_line import MAX_LINE, marked_as_cut

HEADER = struct.Struct(">BxxxI")
DAEMON_ERROR = 3
LARGEST_FRAME = 1024 * 1024


class BrokenStream(Exception):
    """The bytes are not Docker's protocol, or the daemon reports that it can not go on."""


class Frames:
    """Takes the bytes of an answer; hands out its status and its frames. `status` is 0 before the head has come."""

    def __init__(self) -> None:
        self.status = 0
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yields (output, payload) of each frame that is now complete. Raises BrokenStream."""
        self._rest += data
        if (self.status or self._read_head()) and self.status == 200:
            yield from self._frames()

    def _read_head(self) -> bool:
        head, end, rest = self._rest.partition(b"\r\n\r\n")
        if not end and len(head) < MAX_LINE:
            return False
        words = head.split(b" ", 2)
        if not end or len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1][:3].isdigit():
            raise BrokenStream("no HTTP answer")
        self.status, self._rest = int(words[1][:3]), rest
        return True

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        data, at = self._rest, 0
        while len(data) - at >= HEADER.size:
            output, size = HEADER.unpack_from(data, at)
            if output > DAEMON_ERROR or size > LARGEST_FRAME:
                raise BrokenStream("no frame of a log")
            end = at + HEADER.size + size
            if end > len(data):
                break
            payload, at = data[at + HEADER.size : end], end
            if output == DAEMON_ERROR:
                raise BrokenStream(payload.decode("utf-8", "replace"))
            yield output, payload
        self._rest = data[at:]


class Document(Frames):
    """An answer whose body is one JSON document."""

    @property
    def body(self) -> bytes:
        return self._rest

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        if len(self._rest) > LARGEST_FRAME:
            raise BrokenStream("no answer of Docker's is that long")
        return iter(())


class Lines:
    """Makes one line of the pieces that Docker cuts a long line into: keeps the first, throws the others away."""

    def __init__(self) -> None:
        self._in_long_line: set[int] = set()

    def line(self, output: int, text: bytes) -> bytes | None:
        """The line that this piece begins; None when it belongs to one that was handed out."""
        goes_on, is_last = output in self._in_long_line, text.endswith(b"\n")
        if is_last:
            self._in_long_line.discard(output)
        else:
            self._in_long_line.add(output)
        if goes_on:
            return None
        return text if is_last or len(text) < MAX_LINE else marked_as_cut(text)
