"""Receivers of drains: real sockets that take syslog over TCP, TLS and UDP, and HTTP posts."""

from __future__ import annotations

import http.server
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Receiver:
    """`messages` are what arrived, without their frames; `answer` is the status of the next posts. `hang_up` ends connections."""

    port: int = 0
    messages: list[bytes] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    answer: int = 204
    deaf: bool = False
    over: threading.Event = field(default_factory=threading.Event)
    open: list[socket.socket] = field(default_factory=list)

    def texts(self) -> list[str]:
        return [message.decode().rstrip("\n").rpartition(" - ")[2] for message in self.messages]

    def hang_up(self) -> None:
        while self.open:
            with suppress(OSError):
                self.open.pop().shutdown(socket.SHUT_RDWR)


def unframed(data: bytes) -> tuple[list[bytes], bytes]:
    """The messages that are whole, and the rest."""
    found = []
    while (match := re.match(rb"([0-9]+) ", data)) and len(data) >= match.end() + int(match[1]):
        found.append(data[match.end() : match.end() + int(match[1])])
        data = data[match.end() + int(match[1]) :]
    return found, data


@contextmanager
def syslog(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            receiver.open.append(self.request)
            rest = b""
            try:
                with tls.wrap_socket(self.request, server_side=True) if tls else self.request as connection:
                    if receiver.deaf:
                        receiver.over.wait(30)
                    while data := connection.recv(65536):
                        found, rest = unframed(rest + data)
                        receiver.messages += found
            except OSError:
                return

    with _Server(("127.0.0.1", port), Handler) as server:
        yield from _serving(server, receiver)


@contextmanager
def posts() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.heads.append({"path": self.path, **self.headers})
            if receiver.answer < 300:
                receiver.messages += unframed(body)[0]
            self.send_response(receiver.answer)
            self.send_header("Location", "http://169.254.169.254/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with _Server(("127.0.0.1", 0), Handler) as server:
        yield from _serving(server, receiver)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False


def _serving(server: _Server, receiver: Receiver) -> Iterator[Receiver]:
    receiver.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        receiver.over.set()
        receiver.hang_up()
