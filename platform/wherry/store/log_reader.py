"""Reading one app's log beside its writer: the last lines, and the lines as they come, each once and in order."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wherry.clock import now
from wherry.model.log_line import LogRecord, encode, header_pattern
from wherry.model.log_loss import TAIL, lost
from wherry.store import log_counts
from wherry.store.log_file import packed_path, read_segment, segment_numbers, segment_path, written_at

POLL = 0.04
"""Seconds between two looks for new lines: two system calls each."""

HEARTBEAT = 0.9
READ = 256 * 1024
MADE_ROOM = "the log made room for newer ones before they could be sent"


@dataclass(frozen=True)
class LineFilter:
    """Which lines are wanted; None means any. `since` and `until` are RFC 3339 in UTC; `grep` is plain text to be found in
    the text."""

    process: str | None = None
    source: str | None = None
    grep: str | None = None
    since: str | None = None
    until: str | None = None

    def lines(self, data: bytes) -> list[bytes]:
        """The wanted lines of a run of whole lines, without their newlines."""
        if b"\0" in data:  # what a file system may leave where a power cut took the last blocks
            data = data.replace(b"\0", b"")
        pattern = self._pattern()
        found = data.splitlines() if pattern is None else [match[0] for match in pattern.finditer(data)]
        if self.since is not None:
            since = self.since.encode()
            found = [line for line in found if line >= since]
        if self.until is not None:
            until = self.until.encode()
            found = [line for line in found if line < until]
        return found

    def _pattern(self) -> re.Pattern[bytes] | None:
        if self.process is None and self.source is None and self.grep is None:
            return None
        wanted = b"" if self.grep is None else rb"[^\n]*?" + re.escape(self.grep.encode())
        return re.compile(rb"^" + header_pattern(self.process, self.source) + wanted + rb"[^\n]*", re.MULTILINE)


def tail(folder: Path, count: int, wanted: LineFilter) -> list[str]:
    """The last `count` wanted lines, oldest first. Reads segments from the newest backwards and no further than needed."""
    return _shown(_tail(folder, count, wanted, None)) if count > 0 else []


def after(folder: Path, number: int, offset: int, wanted: LineFilter) -> list[str]:
    """All wanted lines that were written after a writer's cursor, as far as they were kept."""
    found: list[bytes] = []
    for each in segment_numbers(folder):
        if each >= number:
            data = _read(folder, each)
            found += wanted.lines(data[offset:] if each == number else data)
    return _shown(found)


def follow(folder: Path, count: int, wanted: LineFilter, stop: Callable[[], bool]) -> Iterator[str | None]:
    """The last `count` wanted lines and then each new one within 50 ms, until `stop()` or until the log is removed.
    None is a heartbeat, at least one a second, so that the caller can notice that nobody listens."""
    reader = Follower(folder)
    try:
        yield from _shown(_tail(folder, count, wanted, reader.position) if count > 0 else [])
        yield from _new_lines(reader, wanted, stop)
    finally:
        reader.close()


def _new_lines(reader: Follower, wanted: LineFilter, stop: Callable[[], bool]) -> Iterator[str | None]:
    beat = time.monotonic()
    while not stop() and not reader.removed:
        data = reader.read()
        found = wanted.lines(data) if data else []
        yield from _shown(found)
        if found:
            beat = time.monotonic()
        elif time.monotonic() - beat >= HEARTBEAT:
            beat = time.monotonic()
            yield None
        if not data:
            time.sleep(POLL)


class Follower:
    """A place in a log that moves forward, from `position` (segment and byte offset) or from the end. Holds one open file, so
    rotation under it loses nothing; what was lost before it came is said with `code`. `passed` is how many lines the
    log had held up to `position`; None where that is not known, and then it is counted."""

    def __init__(self, folder: Path, position: tuple[int, int] | None = None, code: str = TAIL, passed: int | None = None) -> None:
        self.folder = folder
        self.removed = False
        self.passed = passed
        self._code = code
        self._file: int | None = None
        self._number, self._offset = position or (0, 0)
        if position is None:
            self._to_the_end()
        elif passed is None:
            self._count(_read(folder, self._number)[: self._offset])

    def _to_the_end(self) -> None:
        numbers = segment_numbers(self.folder)
        if numbers:
            self._number = numbers[-1]
            data = _read(self.folder, self._number)
            self._offset = len(data)
            self._count(data)

    def _count(self, data: bytes) -> None:
        """`data` is what was passed of this segment."""
        before = log_counts.read(self.folder).get(self._number)
        self.passed = None if before is None or len(data) < self._offset else before + data.count(b"\n")

    @property
    def position(self) -> tuple[int, int]:
        return self._number, self._offset

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def read(self) -> bytes:
        """New whole lines, or nothing."""
        data = self._more()
        if data or not self._is_over():
            return data
        data = self._more()  # the last lines, written between the look at the file and the look at its successor
        return data or self._go_on()

    def _more(self) -> bytes:
        if self._file is None and not self._open():
            return b""
        assert self._file is not None
        data = os.pread(self._file, READ, self._offset)
        if not data:  # a writer on a full disk takes back what it could not finish
            self._offset = min(self._offset, os.fstat(self._file).st_size)
        return self._taken(data[: data.rfind(b"\n") + 1])

    def _taken(self, whole: bytes) -> bytes:
        self._offset += len(whole)
        if self.passed is not None:
            self.passed += whole.count(b"\n")
        return whole

    def _open(self) -> bool:
        try:
            self._file = os.open(segment_path(self.folder, self._number), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        return True

    def _is_over(self) -> bool:
        """Nothing more will be written to this segment."""
        if self._file is None:
            return self._number > 0 or bool(segment_numbers(self.folder))
        return segment_path(self.folder, self._number + 1).exists() or os.fstat(self._file).st_nlink == 0

    def _go_on(self) -> bytes:
        """Moves to the next segment; returns its lines when it is compressed already, else nothing."""
        left, self._number, offset, self._offset = self._number, self._number, self._offset, 0
        was_open = self._file is not None
        self.close()
        numbers = segment_numbers(self.folder)
        if not was_open and left in numbers and packed_path(self.folder, left).exists():
            rest = self._taken(_read(self.folder, left)[offset:])
            self._number, self._offset = left + 1, 0
            return rest
        later = [number for number in numbers if number > left]
        if not later:
            self.removed = True
            return b""
        return self._enter(later[0], missed=left > 0 and (later[0] > left + 1 or not was_open))

    def _enter(self, number: int, missed: bool) -> bytes:
        self._number = number
        note = self._note_of_missed() if missed else b""
        if self.passed is None:
            self._count(b"")
        if self._open():
            return note
        rest = self._taken(_read(self.folder, number))
        self._number, self._offset = number + 1, 0
        return note + rest

    def _note_of_missed(self) -> bytes:
        count = log_counts.missed(self.folder, self._number, self.passed)
        self._count(b"")
        return _note(lost(self._code, count, MADE_ROOM)) if count != 0 else b""


def _tail(folder: Path, count: int, wanted: LineFilter, end: tuple[int, int] | None) -> list[bytes]:
    found: list[bytes] = []
    for number in reversed(segment_numbers(folder)):
        if end is not None and number > end[0]:
            continue
        if wanted.since is not None and _is_older(folder, number, wanted.since):
            break
        data = _read(folder, number)
        found = wanted.lines(data[: end[1]] if end is not None and number == end[0] else data) + found
        if len(found) >= count:
            break
    return found[-count:]


def _is_older(folder: Path, number: int, since: str) -> bool:
    try:
        last = datetime.fromtimestamp(written_at(folder, number) + 1, UTC)
    except FileNotFoundError:
        return True
    return last.strftime("%Y-%m-%dT%H:%M:%S.%fZ") < since


def _read(folder: Path, number: int) -> bytes:
    try:
        return read_segment(folder, number)
    except FileNotFoundError:
        return b""  # made room for newer ones just now


def _note(text: str) -> bytes:
    return encode(LogRecord(now(), "wherry", "logs", text))


def _shown(lines: list[bytes]) -> list[str]:
    return [line.decode("utf-8", "replace") for line in lines]
