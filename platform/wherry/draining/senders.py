"""Takes lines to a receiver: syslog over TCP, TLS or UDP, or HTTP posts. Each send either arrived or raises.

Every connection goes to an address that was looked at first, never through a proxy or a redirect, and gives up in time.
"""

from __future__ import annotations

import base64
import fcntl
import http.client
import socket
import ssl
import struct
import termios
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from wherry.addresses import resolve_all
from wherry.draining import frames
from wherry.model.drain import Drain, Receiver, parse_url

TIMEOUT = 10.0
LARGEST_DATAGRAM = 2048
"""Bytes of a UDP message; what every receiver takes (RFC 5426)."""
READ_BACK = 64 * 1024
NEVER = (400, 413, 415, 422)
"""Answers to what was sent, not to who sends it, when, or how often."""


class Refused(Exception):
    """The receiver answered, and does not want these lines: sending them again would change nothing."""


@dataclass(frozen=True)
class Way:
    """`internal` allows private and local addresses; `trust` says whose certificates count; `look_up` finds a host's addresses."""

    internal: bool
    trust: ssl.SSLContext | None = None
    look_up: Callable[[str, int, bool, str], list[str]] = resolve_all

    def connect(self, receiver: Receiver, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """To the first of the host's addresses that takes us. Raises Forbidden, Unavailable, or the OSError of the last."""
        failure: OSError | None = None
        for address in self.look_up(receiver.host, receiver.port, self.internal, "WHERRY_DRAIN_INTERNAL"):
            try:
                return _connected(address, receiver.port, kind)
            except OSError as error:
                failure = error
        raise failure or ConnectionError("it has no address")

    def secured(self, raw: socket.socket, receiver: Receiver) -> ssl.SSLSocket:
        try:
            return (self.trust or ssl.create_default_context()).wrap_socket(raw, server_hostname=receiver.host)
        except (OSError, ValueError):
            raw.close()
            raise


class Sender(Protocol):
    def send(self, lines: list[str]) -> None:
        """Returns when the receiver's machine has the lines (UDP: when they are on their way). Raises OSError, WherryError or
        Refused."""

    def close(self) -> None: ...


def sender_of(drain: Drain, way: Way) -> Sender:
    receiver = parse_url(drain.url.reveal())
    if receiver.scheme == "syslog+udp":
        return UdpSender(drain, receiver, way)
    if receiver.scheme.startswith("syslog"):
        return StreamSender(drain, receiver, way)
    return HttpSender(drain, receiver, way)


class StreamSender:
    """One connection that is kept. Lines count as sent when the other machine's kernel has acknowledged them."""

    def __init__(self, drain: Drain, receiver: Receiver, way: Way) -> None:
        self._app, self._receiver, self._way = drain.app, receiver, way
        self._socket: socket.socket | None = None

    def send(self, lines: list[str]) -> None:
        connection = self._open()
        try:
            connection.sendall(b"".join(frames.counted(frames.syslog(self._app, line)) for line in lines))
            _wait_until_acknowledged(connection)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        if self._socket is not None and _is_closed(self._socket):
            self.close()
        if self._socket is None:
            raw = self._way.connect(self._receiver)
            self._socket = self._way.secured(raw, self._receiver) if self._receiver.scheme == "syslog+tls" else raw
        return self._socket


class UdpSender:
    """Datagrams: nobody knows whether they arrive."""

    def __init__(self, drain: Drain, receiver: Receiver, way: Way) -> None:
        self._app, self._receiver, self._way = drain.app, receiver, way

    def send(self, lines: list[str]) -> None:
        with self._way.connect(self._receiver, socket.SOCK_DGRAM) as door:
            for line in lines:
                door.send(frames.syslog(self._app, line)[:LARGEST_DATAGRAM])

    def close(self) -> None:
        return


class HttpSender:
    """A post per batch, as Heroku's drains make them. A connection each: receivers sit behind balancers that close idle ones."""

    def __init__(self, drain: Drain, receiver: Receiver, way: Way) -> None:
        self._drain, self._receiver, self._way = drain, receiver, way

    def send(self, lines: list[str]) -> None:
        connection = _Connection(self._receiver, self._way)
        try:
            connection.request("POST", self._receiver.target, frames.logplex(self._drain.app, lines), self._headers(len(lines)))
            answer = connection.getresponse()
            answer.read(READ_BACK)
        except http.client.HTTPException as error:
            raise ConnectionError(f"no HTTP answer ({type(error).__name__})") from error
        finally:
            connection.close()
        if 200 <= answer.status < 300:
            return
        if answer.status in NEVER:
            raise Refused(f"it answers {answer.status}")
        raise ConnectionError(f"it answers {answer.status}")

    def close(self) -> None:
        return

    def _headers(self, count: int) -> dict[str, str]:
        login = (
            {"Authorization": f"Basic {base64.b64encode(unquote(self._receiver.login).encode()).decode()}"} if self._receiver.login else {}
        )
        return {
            "Content-Type": "application/logplex-1",
            "Logplex-Msg-Count": str(count),
            "Logplex-Frame-Id": uuid.uuid4().hex.upper(),
            "Logplex-Drain-Token": self._drain.token,
            "User-Agent": "wherry",
            "Connection": "close",
            **login,
        }


class _Connection(http.client.HTTPConnection):
    """Connects to the address that was looked at, whatever the name says a moment later."""

    def __init__(self, receiver: Receiver, way: Way) -> None:
        super().__init__(receiver.host, receiver.port, timeout=TIMEOUT)
        self._receiver, self._way = receiver, way
        self.default_port = 443 if receiver.scheme == "https" else 80

    def connect(self) -> None:
        raw = self._way.connect(self._receiver)
        self.sock = self._way.secured(raw, self._receiver) if self._receiver.scheme == "https" else raw


def _connected(address: str, port: int, kind: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    made.settimeout(TIMEOUT)
    try:
        made.connect((address, port))
    except OSError:
        made.close()
        raise
    return made


def _is_closed(connection: socket.socket) -> bool:
    """Whether the other side has hung up; a receiver of syslog says nothing else."""
    connection.settimeout(0.0)
    try:
        return not connection.recv(1024)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(TIMEOUT)


def _wait_until_acknowledged(connection: socket.socket) -> None:
    """Raises TimeoutError when the other machine does not take what was sent."""
    end = time.monotonic() + TIMEOUT
    while struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]:
        if time.monotonic() > end:
            raise TimeoutError("it takes nothing more")
        time.sleep(0.005)
