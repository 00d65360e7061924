"""Visitors that never retry: keep-alive connections that ask again and again, and count what was not answered.

Run as a program (HOST ADDRESS PORT PATH CONNECTIONS [tls]) it prints `asking` once every connection has asked, asks until its standard
input closes, then prints one JSON document as its last line.
A request is lost when no whole answer came, or one of 500 and above. A body that is a number is the version of the app that
answered: per connection it must never fall.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from dataclasses import asdict, dataclass, field

MOST_REQUESTS = 2_000_000
"""The load ends by itself."""


@dataclass
class Count:
    """`lost` holds the first reasons; `versions` counts answers per version; `slowest` is in seconds."""

    asked: int = 0
    answered: int = 0
    lost: int = 0
    reasons: list[str] = field(default_factory=list)
    backwards: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    seconds: float = 0.0

    def lose(self, why: str) -> None:
        self.lost += 1
        if len(self.reasons) < 10:
            self.reasons.append(why)


class Visitor:
    """One connection, reopened only when the other side closed it after a whole answer or lost a request."""

    def __init__(self, host: str, address: str, port: int, path: str, count: Count, tls: ssl.SSLContext | None = None) -> None:
        self.address, self.port, self.count = address, port, count
        self.words = {"ssl": tls, "server_hostname": host} if tls else {}
        self.request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self.last = -1

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set() and self.count.asked < MOST_REQUESTS:
            try:
                reader, writer = await asyncio.open_connection(self.address, self.port, **self.words)  # type: ignore[arg-type]
            except OSError as error:
                self.count.asked += 1
                self.count.lose(f"connect: {error}")
                await asyncio.sleep(0.05)
                continue
            try:
                await self._talk(reader, writer, stop)
            finally:
                writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stop: asyncio.Event) -> None:
        while not stop.is_set():
            began = time.monotonic()
            self.count.asked += 1
            try:
                writer.write(self.request)
                status, body, closes = await asyncio.wait_for(_answer(reader), 60)
            except (OSError, ValueError, EOFError, TimeoutError) as error:
                self.count.lose(f"{type(error).__name__}: {error}")
                return
            self._note(status, body, time.monotonic() - began)
            if closes:
                return

    def _note(self, status: int, body: bytes, seconds: float) -> None:
        self.count.slowest = max(self.count.slowest, seconds)
        if status >= 500:
            self.count.lose(f"status {status}: {body[:80]!r}")
            return
        self.count.answered += 1
        version = body.strip().decode("ascii", "replace")[:20]
        self.count.versions[version] = self.count.versions.get(version, 0) + 1
        if version.isdigit():
            self.count.backwards += int(version) < self.last
            self.last = int(version)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ", 2)[1])
    length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:"))
    return status, await reader.readexactly(length), "\r\nconnection: close" in head


def whatever_certificate() -> ssl.SSLContext:
    """A visitor's side that takes every certificate: what is measured is whether one is there at any moment."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def load(host: str, address: str, port: int, path: str, connections: int, tls: bool = False) -> Count:
    """Asks until standard input closes."""
    secure = whatever_certificate() if tls else None
    count, stop = Count(), asyncio.Event()
    began = time.monotonic()
    visitors = [asyncio.create_task(Visitor(host, address, port, path, count, secure).run(stop)) for _ in range(connections)]
    while count.asked < connections:
        await asyncio.sleep(0.01)
    print("asking", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    stop.set()
    await asyncio.gather(*visitors)
    count.seconds = time.monotonic() - began
    return count


if __name__ == "__main__":
    host, address, port, path, connections, *how = sys.argv[1:]
    print(json.dumps(asdict(asyncio.run(load(host, address, int(port), path, int(connections), how == ["tls"])))))
