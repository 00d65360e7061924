"""Instances that leave badly, and what takes long on them: nobody's request, stream or upload ends with a switch."""

from __future__ import annotations

import hashlib
import http.client
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from experiments.lab import Lab
from invariants import hold
from scenario_support import Site

APP = """
import base64, hashlib, http.server, os, signal, socketserver, sys, threading, time

class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/stream":
            return self.stream()
        if self.path == "/socket":
            return self.socket()
        time.sleep(25 if self.path == "/long" else 0)
        self.answer(b"{whole}")
    def do_POST(self):
        left, digest = int(self.headers["Content-Length"]), hashlib.sha256()
        while left:
            piece = self.rfile.read(min(left, 65536))
            left -= len(piece)
            digest.update(piece)
        self.answer(digest.hexdigest().encode())
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def stream(self):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for number in range(20):
            self.wfile.write(b"data: %d\\n\\n" % number)
            time.sleep(1)
    def socket(self):
        self.close_connection = True
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        while piece := self.connection.recv(4096):
            self.connection.sendall(piece)
    def log_message(self, *_):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = False
    request_queue_size = 256
    def handle_error(self, *_):
        pass

server = Server(("0.0.0.0", int(os.environ["PORT"])), Page)
signal.signal(signal.SIGTERM, {handler})
server.serve_forever()
"""
POLITE = "lambda *_: threading.Thread(target=server.shutdown).start()"
LEAVERS = {
    "polite": ("finishes what it has", POLITE, "web: python app.py\n"),
    "abrupt": ("exits at SIGTERM", "lambda *_: os._exit(0)", "web: python app.py\n"),
    "deaf": ("ignores SIGTERM", "signal.SIG_IGN", "web: python app.py\n"),
    "shelled": ("runs below a shell", POLITE, "web: sh -c 'python app.py; echo over'\n"),
}
MEGABYTE = b"0123456789abcdef" * 65536
UPLOAD = 100
"""Megabytes, sent within some twelve seconds."""
GONE_WITHIN = 150.0
"""25 s until the last request is answered, 30 s until SIGKILL, and the time of a busy machine."""


def experiment(lab: Lab) -> str:
    """All leave at once, each with something long of every kind under way."""
    with ExitStack() as stack:
        shops = [stack.enter_context(lab.app(name, source(name, 1))) for name in LEAVERS]
        counts = [stack.enter_context(lab.site.visitors(name, connections=4)) for name in LEAVERS]
        with ThreadPoolExecutor(4 * len(LEAVERS)) as pool:
            begun = [(name, what, pool.submit(does, lab.site, name)) for name in LEAVERS for what, does in LONG.items()]
            time.sleep(3)
            for shop in shops:
                shop.commit(source(shop.app, 2))
                done = shop.push()
                assert done.status == 0, done.text
            torn = [f"{what} of {name}: {why}" for name, what, future in begun if (why := trouble(future))]
        hold(lab.site, {name: {"2"} for name in LEAVERS}, patience=GONE_WITHIN)
    lost = {name: count["reasons"] for name, count in zip(LEAVERS, counts, strict=True) if count["lost"]}
    assert not torn and not lost, (torn, lost)
    return f"{len(begun)} of {len(begun)} long ones whole ({', '.join(LONG)}; {', '.join(LEAVERS)}), 0 requests lost"


def source(app: str, version: int) -> dict[str, str]:
    _, handler, procfile = LEAVERS[app]
    code = APP.replace("{whole}", f"{app}/{version}").replace("{handler}", handler)
    return {"app.py": code, "Procfile": procfile, "requirements.txt": ""}


def trouble(future: Future[None]) -> str:
    error = future.exception(timeout=120)
    return f"{type(error).__name__}: {error}" if error else ""


def long_request(site: Site, app: str) -> None:
    assert site.get(app, "/long", timeout=60) == (200, f"{app}/1")


def stream(site: Site, app: str) -> None:
    _, body = site.get(app, "/stream", timeout=60)
    assert body.count("data: ") == 20, f"{body.count('data: ')} of 20 events"


def upload(site: Site, app: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.http_port, timeout=60)
    connection.putrequest("POST", "/upload", skip_host=True)
    connection.putheader("Host", f"{app}.localhost")
    connection.putheader("Content-Length", str(UPLOAD * len(MEGABYTE)))
    connection.endheaders()
    for _ in range(UPLOAD):
        connection.send(MEGABYTE)
        time.sleep(0.1)
    assert connection.getresponse().read().decode() == hashlib.sha256(MEGABYTE * UPLOAD).hexdigest()


def web_socket(site: Site, app: str) -> None:
    with socket.create_connection(("127.0.0.1", site.http_port), 30) as line:
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
        words = f"GET /socket HTTP/1.1\r\nHost: {app}.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n\r\n"
        line.sendall(words.encode())
        head = line.recv(4096)
        assert head.startswith(b"HTTP/1.1 101"), head
        for number in range(20):
            line.sendall(b"%04d" % number)
            assert (back := line.recv(4)) == b"%04d" % number, back
            time.sleep(1)


LONG: dict[str, Callable[[Site, str], None]] = {
    "a request of 25 s": long_request,
    "events": stream,
    "a WebSocket": web_socket,
    "an upload of 100 MB": upload,
}
