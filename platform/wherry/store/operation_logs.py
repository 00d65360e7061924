"""What an operation says while it works: one text file each, written by the engine, read by anyone from any offset.

A line on disk is a line for the person who pushed. The file is only history: whether the operation is over is
what its row says, so a reader asks `done` and never waits for a last line that a crash may have swallowed.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from wherry import clock

POLL = 0.02
HEARTBEAT = 1.0
MOST = 4 * 1024**2
"""Bytes of one log after which details are left out; headings and the end are still written."""
DETAIL = " " * 7
LEFT_OUT = f"{DETAIL}… the rest of what it prints is left out: 4 MB of it are kept"


class OperationLogs:
    """The folder of all operation logs. Writers need to own it; readers need only to read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, operation_id: int) -> Path:
        return self.folder / f"{operation_id}.log"

    def write(self, operation_id: int, line: str) -> None:
        """Appends one line; control bytes are made visible, so no app can move the reader's cursor. On a full or broken disk the line
        is lost, not the operation."""
        try:
            self._append(operation_id, line)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise

    def _append(self, operation_id: int, line: str) -> None:
        data = (_printable(line) + "\n").encode("utf-8", "replace")
        descriptor = os.open(self.path(operation_id), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            size = os.fstat(descriptor).st_size
            if size < MOST:
                os.write(descriptor, data if size + len(data) < MOST else data + f"{LEFT_OUT}\n".encode())
            elif not line.startswith(DETAIL):
                os.write(descriptor, data)
        finally:
            os.close(descriptor)

    def remove_all_but(self, keep: set[int]) -> None:
        """Removes the logs of other operations; those that are newer than all of these have begun meanwhile, and stay."""
        newest = max(keep, default=0)
        for path in self.folder.glob("*.log"):
            if path.stem.isdecimal() and int(path.stem) <= newest and int(path.stem) not in keep:
                path.unlink(missing_ok=True)

    def read(self, operation_id: int, offset: int = 0) -> tuple[list[str], int]:
        """The whole lines from byte `offset` on, and the offset after them."""
        path = self.path(operation_id)
        try:
            if path.stat().st_size <= offset:
                return [], offset
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            return [], offset
        whole = data[: data.rfind(b"\n") + 1]
        return whole.decode("utf-8", "replace").splitlines(), offset + len(whole)

    def follow(self, operation_id: int, done: Callable[[], bool], offset: int = 0) -> Iterator[str | None]:
        """Yields lines as they are written until `done()`; None about once a second when there is nothing to say."""
        spoke = clock.monotonic()
        while True:
            over = done()
            lines, offset = self.read(operation_id, offset)
            yield from lines
            if over:
                return
            if lines:
                spoke = clock.monotonic()
            elif clock.monotonic() - spoke >= HEARTBEAT:
                yield None
                spoke = clock.monotonic()
            clock.sleep(POLL)


def _printable(line: str) -> str:
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\n]", lambda found: ascii(found[0])[1:-1], line)
