"""Fetches an archive by its address: to an address that is allowed, within a size and a time, following few redirects."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urljoin, urlsplit

from wherry.addresses import resolve
from wherry.errors import InvalidInput, Unavailable
from wherry.model.origin import check_archive_url, shown_url

REDIRECTS = 5
IDLE = 30.0
"""Seconds of silence after which the other side is taken for dead."""
SECONDS = 600.0
CHUNK = 256 * 1024


@dataclass(frozen=True)
class Limits:
    """`size` is bytes. `internal` allows private and local addresses."""

    size: int
    internal: bool = False
    seconds: float = SECONDS


def download(url: str, path: Path, limits: Limits) -> int:
    """Writes what is at `url` to `path`, a new file; returns its size. Raises Forbidden, InvalidInput or Unavailable."""
    end = time.monotonic() + limits.seconds
    for _ in range(REDIRECTS + 1):
        with _ask(check_archive_url(url), limits.internal) as answer:
            if answer.status not in (301, 302, 303, 307, 308):
                with path.open("xb") as file:
                    return _take(answer, file, url, limits.size, end)
            url = _next(url, answer.headers.get("Location", ""))
    raise Unavailable(f"{shown_url(url)} redirects more than {REDIRECTS} times", code="download_failed")


def _ask(url: str, internal: bool) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    assert parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = resolve(parts.hostname, port, internal)
    connection = _Secure(parts.hostname, address, port) if parts.scheme == "https" else _Plain(parts.hostname, address, port)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"User-Agent": "wherry", "Accept-Encoding": "identity", "Connection": "close"})
        return connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise _failed(url, error) from error


class _Plain(http.client.HTTPConnection):
    """Connects to the address that was looked at, whatever the name says a moment later."""

    def __init__(self, host: str, address: str, port: int) -> None:
        super().__init__(host, port, timeout=IDLE)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), IDLE)


class _Secure(_Plain):
    default_port = 443

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _take(answer: http.client.HTTPResponse, file: IO[bytes], url: str, limit: int, end: float) -> int:
    if answer.status != 200:
        hint = "Does it need a login? Download it yourself: curl … | wherry git:from-archive APP -"
        raise Unavailable(f"{shown_url(url)} answers {answer.status}", hint=hint, code="download_failed")
    if int(answer.headers.get("Content-Length") or 0) > limit:
        raise too_large(limit)
    taken = 0
    try:
        while data := answer.read(CHUNK):
            taken += len(data)
            if taken > limit:
                raise too_large(limit)
            if time.monotonic() > end:
                raise Unavailable(f"{shown_url(url)} took too long", code="download_failed")
            file.write(data)
    except (OSError, http.client.HTTPException) as error:
        raise _failed(url, error) from error
    return taken


def too_large(limit: int) -> InvalidInput:
    hint = "Leave out what is installed or built; the limit is WHERRY_MAX_PUSH."
    return InvalidInput(f"the archive has more than {limit // 2**20} MB", hint=hint, code="too_large")


def _next(url: str, location: str) -> str:
    """Where a redirect leads; never from a secured address to one that is not."""
    target = urljoin(url, location)
    if url.startswith("https:") and not target.startswith("https:"):
        raise Unavailable(f"{shown_url(url)} redirects to an address without https", code="download_failed")
    return target


def _failed(url: str, error: Exception) -> Unavailable:
    why = (str(error) or type(error).__name__).splitlines()[0][:120]
    return Unavailable(f"{shown_url(url)} can not be fetched: {why}", hint="Try again in a moment.", code="download_failed")
