"""For clients that are not on this machine: their HTTP connection becomes the wire to the engine's door.

The bytes are not looked at; the ticket among them decides. What one end does not read, the other may not send: at most
CHUNK bytes wait here each way.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from wherry.errors import Unavailable
from wherry.model import wire

CHUNK = 64 * 1024
BEAT = 1000
"""Milliseconds between looks whether the platform stops."""

DEAD_AFTER_MS = 90_000
KEEPALIVE = 30

SWITCHING = f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {wire.PROTOCOL}\r\n\r\n".encode()


def bridged(door: Path, client: socket.socket, stopping: Callable[[], bool]) -> Iterator[str]:
    """A body that never yields: it answers 101 itself, joins `client` with `door`, and leaves the server with the error
    that it takes for a client who hung up. Raises Unavailable at once when nobody opens."""
    engine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        engine.connect(str(door))
    except OSError as error:
        engine.close()
        raise Unavailable("the engine does not take runs now", hint="Try again in a moment.", code="engine_away") from error
    return _body(engine, client, stopping)


def _body(engine: socket.socket, client: socket.socket, stopping: Callable[[], bool]) -> Iterator[str]:
    with engine, suppress(OSError):
        _keep_alive(client)
        client.sendall(SWITCHING)
        _join(client, engine, stopping)
    raise ConnectionResetError(errno.ECONNRESET, "the connection was handed over, and is over")
    yield ""


def _keep_alive(client: socket.socket) -> None:
    if client.family == socket.AF_UNIX:
        return
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_MS)


def _join(one: socket.socket, other: socket.socket, stopping: Callable[[], bool]) -> None:
    """Returns when either end is over and all of what it said was passed on. Raises OSError when one is gone."""
    ends = {one.fileno(): one, other.fileno(): other}
    across = {one.fileno(): other.fileno(), other.fileno(): one.fileno()}
    waiting = {number: bytearray() for number in ends}
    for end in ends.values():
        end.setblocking(False)
    while not stopping():
        for number, event in _poll(across, waiting):
            if event & ~select.POLLOUT and not waiting[across[number]]:
                data = _received(ends[number])
                if data == b"":
                    return
                waiting[across[number]] += data or b""
            if event & select.POLLOUT and waiting[number]:
                del waiting[number][: _sent(ends[number], waiting[number])]


def _poll(across: dict[int, int], waiting: dict[int, bytearray]) -> list[tuple[int, int]]:
    poll = select.poll()
    for number, other in across.items():
        interest = (0 if waiting[other] else select.POLLIN) | (select.POLLOUT if waiting[number] else 0)
        if interest:
            poll.register(number, interest)
    return poll.poll(BEAT)


def _received(end: socket.socket) -> bytes | None:
    try:
        return end.recv(CHUNK)
    except BlockingIOError:
        return None


def _sent(end: socket.socket, data: bytearray) -> int:
    try:
        return end.send(data)
    except BlockingIOError:
        return 0
