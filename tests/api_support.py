"""A real API server for tests: a process of its own on a free port and a unix socket, asked over plain HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

from free_ports import free_port
from wherry import clock

PLATFORM = Path(__file__).parents[1] / "platform"
PROGRAM = "import sys; from wherry import settings; from wherry.faces.api.server import serve; serve(settings.load(), float(sys.argv[1]))"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def answer_of(connection: HTTPConnection) -> Answer:
    """Reads what was answered to the request that was sent last."""
    found = connection.getresponse()
    return Answer(found.status, {key.lower(): value for key, value in found.getheaders()}, found.read())


class SocketConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float = 20) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Served(NamedTuple):
    """One running server."""

    process: subprocess.Popen[bytes]
    port: int
    path: Path
    errors: Path

    def local(self) -> SocketConnection:
        return SocketConnection(self.path)

    def tcp(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method: str, path: str, body: object = None, *, tcp: bool = False, **headers: str) -> Answer:
        """One request, over the socket unless TCP is wished."""
        used = self.tcp() if tcp else self.local()
        sent = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        with closing(used):
            used.request(method, path, sent, {**kind, **{name.replace("_", "-"): value for name, value in headers.items()}})
            return answer_of(used)

    def raw(self, data: bytes, *, tcp: bool = False, wait: float = 20) -> bytes:
        """Sends bytes as they are and reads until the server closes."""
        family = socket.AF_INET if tcp else socket.AF_UNIX
        with socket.socket(family) as sock:
            sock.settimeout(wait)
            sock.connect(("127.0.0.1", self.port) if tcp else str(self.path))  # type: ignore[arg-type]
            sock.sendall(data)
            return b"".join(iter(lambda: received(sock), b""))

    def stop(self) -> float:
        """Ends the server with SIGTERM; returns how many seconds it took."""
        began = clock.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        return clock.monotonic() - began


@contextmanager
def served(home: Path, account: str = "nobody", body_seconds: float = 10.0) -> Iterator[Served]:
    """A server over `home`, whose receiver is `account`, and that waits `body_seconds` for a body. Other accounts may enter the
    folder of the socket."""
    port = free_port()
    errors = home / "api.err"
    environ = {"WHERRY_HOME": str(home), "WHERRY_API_PORT": str(port), "WHERRY_USER": account, "PYTHONPATH": str(PLATFORM)}
    with errors.open("wb") as stderr:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(body_seconds)], env=environ, stderr=stderr)
    made = Served(process, port, home / "run" / "api.sock", errors)
    try:
        _wait(made)
        yield made
    finally:
        process.kill()
        process.wait()


@contextmanager
def account(uid: int) -> Iterator[None]:
    """This process as another account of the machine: the kernel tells a socket's other end who connected."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def received(sock: socket.socket) -> bytes:
    """What was sent before a reset still waits behind it."""
    try:
        return sock.recv(65536)
    except ConnectionResetError:
        return sock.recv(65536)


def _wait(server: Served) -> None:
    end = clock.monotonic() + 60
    while clock.monotonic() < end:
        try:
            if server.ask("GET", "/healthz").status == 200:
                return
        except OSError:
            clock.sleep(0.02)
        assert server.process.poll() is None, server.errors.read_text()
    raise AssertionError("the API did not come up")
