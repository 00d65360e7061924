"""A real HAProxy on free ports, tiny real upstream servers in threads, and a visitor who says bytes as they are."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from free_ports import free_ports
from waiting import until
from wherry import command
from wherry.errors import Unavailable
from wherry.routing import haproxy_config
from wherry.routing.haproxy_proxy import HaproxyProxy
from wherry.routing.haproxy_socket import HaproxySession
from wherry.routing.proxy import Target
from wherry.settings import Settings, load


def settings_in(home: Path, hold_timeout: int = 2) -> Settings:
    http, https = free_ports(2)
    ports = {"WHERRY_HTTP_PORT": str(http), "WHERRY_HTTPS_PORT": str(https)}
    return load({"WHERRY_HOME": str(home), "WHERRY_HOLD_TIMEOUT": str(hold_timeout), **ports})


class Haproxy:
    """HAProxy as the supervisor runs it. `kill` is a crash; `start` starts it again from what is on disk."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.proxy = HaproxyProxy(settings)
        self.log = settings.home / "haproxy.log"
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = command.spawn(haproxy_config.command(self.settings), stdout=log, stderr=log)
        until(self.answers)

    def answers(self) -> bool:
        try:
            self.proxy.in_flight("")
        except Unavailable:
            return False
        return self.listens()

    def listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.settings.http_port), 1).close()
            return True
        except OSError:
            return False

    def connections(self) -> int:
        """How many visitors it has now."""
        with HaproxySession(haproxy_config.Files(self.settings).socket) as session:
            return int(session.ask("show info").partition("CurrConns: ")[2].split()[0])

    def worker(self) -> int:
        return int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        until(lambda: not self.listens())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@contextmanager
def running_haproxy(home: Path, hold_timeout: int = 2, head_timeout: int = 10) -> Iterator[Haproxy]:
    """With the platform's own rules; `head_timeout` is in seconds, for a test that waits for its end."""
    settings = settings_in(home, hold_timeout)
    haproxy_config.prepare(settings)
    config = haproxy_config.Files(settings).config
    known = "timeout http-request 10s"
    assert known in config.read_text("utf-8")
    config.write_text(config.read_text("utf-8").replace(known, f"timeout http-request {head_timeout}s"), "utf-8")
    haproxy = Haproxy(settings)
    try:
        yield haproxy
    finally:
        haproxy.stop()


@dataclass
class Upstream:
    """One instance of an app: answers with its name, its path decides how. `received` holds every request's raw head."""

    name: str
    port: int
    server: socketserver.ThreadingTCPServer
    received: list[bytes] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    @property
    def target(self) -> Target:
        return Target(self.name, "127.0.0.1", self.port)

    def stop(self) -> None:
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


class _Handler(socketserver.StreamRequestHandler):
    upstream: Upstream
    disable_nagle_algorithm = True

    def handle(self) -> None:
        try:
            while head := self._head():
                if not self._answer(head):
                    return
        except OSError:
            return

    def _head(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b"", b"\r\n"):
            lines.append(line)
        head = b"".join(lines)
        return head + self._chunks() if b"transfer-encoding: chunked" in head else head

    def _chunks(self) -> bytes:
        while size := int(self.rfile.readline(), 16):
            self.rfile.read(size + 2)
        self.rfile.readline()
        return b""

    def _answer(self, head: bytes) -> bool:
        self.upstream.received.append(head)
        path = head.split(b" ", 2)[1].decode()
        special = {
            "/held": self._held,
            "/sse": self._sse,
            "/ws": self._websocket,
            "/upload": self._upload,
            "/close": self._close,
            "/503": self._unwell,
        }
        return special.get(path, self._name)(head)

    def _name(self, head: bytes) -> bool:
        body = self.upstream.name.encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        return True

    def _held(self, head: bytes) -> bool:
        self.upstream.gate.wait(20)
        return self._name(head)

    def _unwell(self, head: bytes) -> bool:
        body = b"the app's own words"
        self.wfile.write(b"HTTP/1.1 503 Unavailable\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        return True

    def _close(self, head: bytes) -> bool:
        return False

    def _sse(self, head: bytes) -> bool:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: first\n\n")
        self.upstream.gate.wait(20)
        self.wfile.write(b"data: second\n\n")
        return False

    def _websocket(self, head: bytes) -> bool:
        key = next(line.split(b":")[1].strip() for line in head.splitlines() if line.lower().startswith(b"sec-websocket-key"))
        proof = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
        self.wfile.write(answer % proof)
        while data := self.request.recv(4096):
            self.wfile.write(data)
        return False

    def _upload(self, head: bytes) -> bool:
        length = next(int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length"))
        left = length
        while left:
            left -= len(self.rfile.read(min(left, 65536)))
        body = str(length).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        return True


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A visitor who leaves is no news."""


def start_upstream(name: str) -> Upstream:
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    upstream = Upstream(name, server.server_address[1], server)
    handler.upstream = upstream
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return upstream


@dataclass(frozen=True)
class Answer:
    """A parsed HTTP answer. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> dict[str, object]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


class Visitor:
    """One connection to the proxy, kept alive as long as the answers allow."""

    def __init__(self, port: int, timeout: float = 30.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self.socket.makefile("rb")

    def get(self, host: str, path: str = "/", **headers: str) -> Answer:
        self.send(host, path, **headers)
        return self.read()

    def send(self, host: str, path: str = "/", **headers: str) -> None:
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def read(self) -> Answer:
        line = self._file.readline()
        if not line:
            raise ConnectionResetError("closed without an answer")
        headers = {}
        while (field_line := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = field_line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = self._file.read(int(headers.get("content-length", "0")))
        return Answer(int(line.split()[1]), headers, body)

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@dataclass
class Load:
    """Keep-alive visitors that never retry. `answers` holds what each of them heard, in order; `slowest` is in seconds."""

    answers: list[list[str]]
    lost: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def count(self) -> int:
        return sum(map(len, self.answers))


@contextmanager
def load_on(port: int, host: str, visitors: int = 8, timeout: float = 30.0) -> Iterator[Load]:
    """Visitors at `host` for the length of the block."""
    load, over = Load([[] for _ in range(visitors)]), threading.Event()

    def visit(heard: list[str]) -> None:
        visitor = Visitor(port, timeout)
        while not over.is_set():
            began = time.monotonic()
            try:
                answer = visitor.get(host)
            except OSError as error:
                load.lost.append(repr(error))
                visitor = Visitor(port, timeout)
                continue
            load.slowest = max(load.slowest, time.monotonic() - began)
            heard.append(answer.text)
            if answer.status != 200:
                load.lost.append(str(answer))
            if answer.headers.get("connection") == "close":
                visitor.close()
                visitor = Visitor(port, timeout)
        visitor.close()

    with ThreadPoolExecutor(visitors) as pool:
        done = [pool.submit(visit, heard) for heard in load.answers]
        try:
            yield load
        finally:
            over.set()
        for future in done:
            future.result()


def get(port: int, host: str, path: str = "/", **headers: str) -> Answer:
    visitor = Visitor(port)
    try:
        return visitor.get(host, path, **headers)
    finally:
        visitor.close()


def say(port: int, data: bytes, silence: float = 0.05) -> bytes:
    """Sends bytes as they are and returns all that comes back until the other side closes or falls silent."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(data)
        heard = b""
        try:
            while chunk := connection.recv(65536):
                heard += chunk
                connection.settimeout(silence)
        except (TimeoutError, ConnectionResetError):
            pass
        return heard
