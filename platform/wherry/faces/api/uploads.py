"""Takes a large body into a file as it comes: up to a size, within a time, few at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Request

from wherry.errors import Unavailable
from wherry.faces.api.deadlines import DEADLINES
from wherry.faces.api.problems import TransportError

TYPES = (
    "application/gzip",
    "application/octet-stream",
    "application/tar",
    "application/tar+gzip",
    "application/x-gzip",
    "application/x-tar",
    "application/x-zip-compressed",
    "application/zip",
)
"""What people send for a tar, a tar.gz and a zip; what it is, its bytes say."""
SECONDS = 900.0
HINT_EMPTY = "Did the program that writes it say why?"
"""Most who send nothing are the second half of a pipe whose first half failed."""
AT_ONCE = 3
CHUNK = 256 * 1024

_places = threading.Semaphore(AT_ONCE)


def receive(request: Request, path: Path, limit: int) -> None:
    """Writes the body to `path`, a new file; leaves none when it raises TransportError (408, 413, 400) or Unavailable."""
    length = request.content_length
    if length is not None and length > limit:
        raise _too_large(limit)
    with _place(), DEADLINES.within(request.environ.get("gunicorn.socket"), SECONDS) as deadline:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        try:
            with os.fdopen(descriptor, "wb") as file:
                taken = _copy(request, file.write, limit)
            if not taken and not length and not deadline.passed:
                raise TransportError(400, "the archive is empty: nothing came", hint=HINT_EMPTY, field="body")
            if not taken or (length is not None and taken < length):
                raise TransportError(408 if deadline.passed else 400, "the body ended before its end", field="body")
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _copy(request: Request, write: object, limit: int) -> int:
    taken = 0
    while data := _read(request):
        taken += len(data)
        if taken > limit:
            raise _too_large(limit)
        write(data)  # type: ignore[operator]
    return taken


def _read(request: Request) -> bytes:
    try:
        return request.stream.read(CHUNK)
    except Exception as error:
        raise TransportError(400, "the body ended before its end", field="body") from error


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise Unavailable(f"{AT_ONCE} archives are on their way already", hint="Try again in a moment.", code="too_many_uploads")
    try:
        yield
    finally:
        _places.release()


def _too_large(limit: int) -> TransportError:
    hint = "Leave out what is installed or built; the limit is WHERRY_MAX_PUSH."
    return TransportError(413, f"the archive has more than {limit // 2**20} MB", hint=hint, code="too_large")
