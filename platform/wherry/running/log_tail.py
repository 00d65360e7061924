"""Docker's own log file of one container, read as it grows: for instances that print much.

To be followed over its API, each line costs Docker an unpacking, a packing and a wake-up, and us one more: 25 µs of processor for both. The
file itself costs us 4 to 7. It is Docker's `json-file`, one JSON object per line; at its size it is renamed to `<name>.1`, older ones move
up, and the oldest goes. We hold the one that we read open, so it can be read to its end, and then take the one that came after it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from wherry.running.log_position import TIMESTAMP_SIZE, nanoseconds
from wherry.running.log_stream import BrokenStream, Frames

OUTPUTS = {"stdout": 1, "stderr": 2}
OLDER = 20
"""Renamed files that are looked for at most."""
CLOSE = 64 * 1024
"""Bytes before a place that may be read once more for nothing."""
LONGEST = 256 * 1024
"""More bytes than two lines have: Docker cuts them at 16 kB, and each byte may need six."""
SLACK = 10**9
"""Nanoseconds by which a line may stand behind a later one; the two outputs of a process overtake one another by milliseconds."""


class Entry(msgspec.Struct):
    """A line, or a piece of a long one, as Docker writes it; `log` ends with a newline where the line does."""

    log: str
    stream: str
    time: str


class Entries(Frames):
    """Takes the bytes of the file; hands out what Docker's API would send for them."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self._decoder = msgspec.json.Decoder(Entry)

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            with suppress(msgspec.DecodeError):  # torn by a power cut: Docker goes on behind it too
                entry = self._decoder.decode(line)
                yield OUTPUTS.get(entry.stream, 1), f"{in_full(entry.time)} {entry.log}".encode("utf-8", "replace")


class Tail:
    """Takes the place of a connection. `since` is the moment behind which all is read, and perhaps a little before it; empty is from the
    beginning. Raises OSError when the file can not be read."""

    def __init__(self, path: str, since: str) -> None:
        self._path = Path(path)
        self._file = self._first(since)
        self._inode = os.fstat(self._file).st_ino

    def recv(self, size: int) -> bytes:
        """What there is to read now, empty when there is nothing. Raises BrokenStream when it was rotated away too fast."""
        if data := os.read(self._file, size):
            return data
        return b"" if self._is_newest() else self._turn_over(size)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _is_newest(self) -> bool:
        with suppress(FileNotFoundError):  # it is being renamed in this moment, and what it held last can be read still
            return self._path.stat().st_ino == self._inode
        return True

    def _turn_over(self, size: int) -> bytes:
        """The last bytes of a file that has been renamed, then those of the next one."""
        if data := os.read(self._file, size):
            return data
        following = self._following()
        if following is None:
            return b""
        os.close(self._file)
        self._file, self._inode = following, os.fstat(following).st_ino
        return os.read(self._file, size)

    def _following(self) -> int | None:
        """The file that was begun after ours; None in the moment of another renaming."""
        for number in range(1, OLDER + 1):
            if self._is_ours(number):
                return self._opened_before(number)
        if Path(f"{self._path}.1").exists():
            raise BrokenStream("the log was rotated faster than it could be read")
        return None

    def _opened_before(self, number: int) -> int | None:
        with suppress(FileNotFoundError):
            file = os.open(self._name(number - 1), os.O_RDONLY | os.O_CLOEXEC)
            if self._is_ours(number):
                return file
            os.close(file)
        return None

    def _is_ours(self, number: int) -> bool:
        with suppress(FileNotFoundError):
            return Path(self._name(number)).stat().st_ino == self._inode
        return False

    def _has_older(self, number: int) -> bool:
        """Looks at two: in the moment of a renaming the next one is missing, and then asking for it fails and is tried again."""
        return any(Path(self._name(number + more)).exists() for more in (1, 2))

    def _name(self, number: int) -> str:
        return f"{self._path}.{number}" if number else str(self._path)

    def _first(self, since: str) -> int:
        """The youngest file that begins before `since`, at a place before it; the oldest where none does."""
        for number in range(OLDER + 1):
            file = os.open(self._name(number), os.O_RDONLY | os.O_CLOEXEC)
            if number == OLDER or not self._has_older(number) or _begins_before(file, since):
                break
            os.close(file)
        os.lseek(file, _place(file, since), os.SEEK_SET)
        return file


def in_full(time: str) -> str:
    """Docker leaves out zeros at a fraction's end in its files, and not over its API."""
    return f"{time[:-1]}{'' if '.' in time else '.'}".ljust(TIMESTAMP_SIZE - 1, "0") + "Z" if len(time) < TIMESTAMP_SIZE else time


def _begins_before(file: int, since: str) -> bool:
    return bool(since) and 0 < _moment(os.pread(file, LONGEST, 0)) < _bound(since)


def _place(file: int, since: str) -> int:
    """A place in the file before the first line that is later than `since`, and not much before it."""
    low, high = 0, os.fstat(file).st_size
    while since and high - low > CLOSE:
        middle = (low + high) // 2
        _, _, after = os.pread(file, LONGEST, middle).partition(b"\n")
        low, high = (middle, high) if 0 < _moment(after) < _bound(since) else (low, middle)
    return low + len(os.pread(file, LONGEST, low).partition(b"\n")[0]) + 1 if low else 0


def _moment(lines: bytes) -> int:
    """When the first of these lines was printed, in ns since the epoch; 0 where that can not be read."""
    with suppress(msgspec.DecodeError, ValueError):
        return nanoseconds(in_full(msgspec.json.decode(lines.partition(b"\n")[0], type=Entry).time))
    return 0


def _bound(since: str) -> int:
    return nanoseconds(since) - SLACK
