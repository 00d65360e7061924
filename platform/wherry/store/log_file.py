"""One app's log on disk: numbered segments of whole lines, the older ones compressed, never more bytes than the cap.

    00000041.log.gz   00000042.log.gz   00000043.log ← the writer appends here

There is one writer (the engine) and any number of readers in other processes, without locks: a segment is never
written again once its successor exists, so a reader that finds the successor has all of the segment.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from wherry.store import log_counts

SEGMENTS = 16
"""The cap is shared by so many segments' worth of bytes; compression makes room for many more."""

CALM = 10.0
"""Seconds between rotations from which a compressed segment is forced to the disk; in a flood that would slow others."""

FILE_MODE = 0o640
FOLDER_MODE = 0o2750


class LogFile:
    """The writer's side. Safe to share between threads. `cap` is bytes on disk."""

    def __init__(self, folder: Path, cap: int) -> None:
        self.folder = folder
        self.cap = cap
        self._lock = threading.Lock()
        self._number = 0
        self._size = 0
        self._lines = 0
        self._dropped = 0
        self._rotated_at = -CALM
        self._oldest = 1

    def append(self, lines: list[bytes]) -> bool:
        """Writes whole lines in order. When the disk refuses (full, read-only), they are counted as dropped and the
        answer is False: logs must not stop apps."""
        with self._lock:
            written = 0
            try:
                self._open()
                for count, piece in _pieces(lines, self._segment_bytes):
                    self._write(piece)
                    self._lines += count
                    written += count
            except OSError:
                self._dropped += len(lines) - written
            return written == len(lines)

    def take_dropped(self) -> int:
        """How many lines were dropped since the last call."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            return dropped

    def cursor(self) -> tuple[int, int]:
        """Where the next line will go: segment number and byte offset."""
        with self._lock:
            with suppress(OSError):
                self._open()
            return self._number, self._size

    def remove(self) -> None:
        with self._lock:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._number = self._size = self._lines = 0

    def _write(self, data: bytes) -> None:
        if self._size and self._size + len(data) > self._segment_bytes:
            self._rotate()
        fd = _open_for_append(segment_path(self.folder, self._number))
        try:
            _write_all(fd, data, self._size)
        finally:
            os.close(fd)
        self._size += len(data)

    @property
    def _segment_bytes(self) -> int:
        return self.cap // SEGMENTS

    def _open(self) -> None:
        """Finds the segment to write to, once; mends what a power cut left."""
        if self._number and self.folder.exists():
            return
        make_folder(self.folder)
        for leftover in self.folder.glob("*.tmp"):
            leftover.unlink(missing_ok=True)
        numbers = segment_numbers(self.folder)
        self._number = numbers[-1] if numbers else 1
        self._size, self._lines = _mend(segment_path(self.folder, self._number))
        self._lines += self._counted_before(numbers)
        for number in numbers[:-1]:
            _compress(self.folder, number, durable=True)

    def _counted_before(self, numbers: list[int]) -> int:
        """Lines before the segment that is written to. Where nobody counted, we begin: a reader then meets numbers that say nothing
        of what is older."""
        known = log_counts.read(self.folder).get(self._number)
        if known is None:
            log_counts.note(self.folder, self._number, 0, numbers[0] if numbers else 1, FILE_MODE)
        return known or 0

    def _rotate(self) -> None:
        full, self._number, self._size = self._number, self._number + 1, 0
        log_counts.note(self.folder, self._number, self._lines, self._oldest, FILE_MODE)
        os.close(_open_for_append(segment_path(self.folder, self._number)))
        now = time.monotonic()
        _compress(self.folder, full, durable=now - self._rotated_at > CALM)
        self._rotated_at = now
        self._make_room()

    def _make_room(self) -> None:
        """Two segments' worth stay free: the one being written, and one being compressed."""
        numbers = segment_numbers(self.folder)
        sizes = {number: _size_on_disk(self.folder, number) for number in numbers[:-1]}
        room = self.cap - 2 * self._segment_bytes
        for number in numbers[:-1]:
            self._oldest = number
            if sum(sizes.values()) <= room:
                return
            del sizes[number]
            for path in (segment_path(self.folder, number), packed_path(self.folder, number)):
                path.unlink(missing_ok=True)


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.log"


def packed_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.log.gz"


def segment_numbers(folder: Path) -> list[int]:
    """The segments there are, oldest first; none when there is no folder."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    return sorted({int(name[:8]) for name in names if re.fullmatch(r"[0-9]{8}\.log(\.gz)?", name)})


def read_segment(folder: Path, number: int) -> bytes:
    """The whole lines of a segment; a torn last line is left out. Raises FileNotFoundError when it was rotated away."""
    try:
        data = segment_path(folder, number).read_bytes()
    except FileNotFoundError:
        data = _unpacked(packed_path(folder, number).read_bytes())
    return data[: data.rfind(b"\n") + 1]


def written_at(folder: Path, number: int) -> float:
    """When the segment got its last line, in seconds since the epoch. Raises FileNotFoundError."""
    try:
        return segment_path(folder, number).stat().st_mtime
    except FileNotFoundError:
        return packed_path(folder, number).stat().st_mtime


def make_folder(folder: Path) -> None:
    """Makes the folder readable for the group of its parent."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(FOLDER_MODE & 0o777)
    group = folder.parent.stat().st_gid
    if folder.stat().st_gid != group:
        os.chown(folder, -1, group)
    folder.chmod(FOLDER_MODE)


def _pieces(lines: list[bytes], limit: int) -> Iterator[tuple[int, bytes]]:
    """The lines in order, joined to pieces of at most `limit` bytes (or one line), each with its number of lines."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and size + len(line) > limit:
            yield len(batch), b"".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield len(batch), b"".join(batch)


def _unpacked(data: bytes) -> bytes:
    """What can be read of a compressed segment; a power cut may have torn it."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        return unpacker.decompress(data)
    except zlib.error:
        return b""


def _open_for_append(path: Path) -> int:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    os.fchmod(fd, FILE_MODE)  # the umask may have taken the group's bit
    return fd


def _write_all(fd: int, data: bytes, size: int) -> None:
    """Writes all or nothing: half a line in the middle of a file would spoil the line after it."""
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
    except OSError:
        os.ftruncate(fd, size)
        raise


def _mend(path: Path) -> tuple[int, int]:
    """Cuts a torn last line off; returns the size and the number of lines."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return 0, 0
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    return whole, data.count(b"\n")


def _compress(folder: Path, number: int, *, durable: bool) -> None:
    plain, packed = segment_path(folder, number), packed_path(folder, number)
    if not plain.exists():
        return
    temporary = packed.with_suffix(".tmp")
    seen = plain.stat()
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(fd, "wb") as target:
        os.fchmod(fd, FILE_MODE)
        target.write(gzip.compress(plain.read_bytes(), compresslevel=3, mtime=0))
        if durable:
            target.flush()
            os.fsync(fd)
    os.utime(temporary, ns=(seen.st_mtime_ns, seen.st_mtime_ns))
    temporary.replace(packed)
    plain.unlink()


def _size_on_disk(folder: Path, number: int) -> int:
    for path in (packed_path(folder, number), segment_path(folder, number)):
        with suppress(FileNotFoundError):
            return path.stat().st_size
    return 0
