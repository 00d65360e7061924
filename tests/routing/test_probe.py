"""One look at an instance: does it listen, what does it answer."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

from free_ports import free_ports
from routing_support import Upstream
from wherry.model.check import Answer, HealthCheck
from wherry.routing import certificates
from wherry.routing.probe import fetch, listens


def test_a_listening_instance_is_seen(instance: Callable[[str], Upstream]) -> None:
    upstream = instance("web.1-a")
    assert listens("127.0.0.1", upstream.port, 1.0)
    assert not listens("127.0.0.1", free_ports(1)[0], 1.0)


def test_an_address_that_nobody_has_takes_no_longer_than_allowed() -> None:
    before = time.monotonic()
    assert not listens("192.0.2.1", 80, 0.2)
    assert time.monotonic() - before < 30, "the kernel itself would try for two minutes"


def test_a_health_check_tells_the_status_and_asks_for_the_host(instance: Callable[[str], Upstream]) -> None:
    upstream = instance("web.1-a")
    check = HealthCheck("/healthz", timeout=20, headers=(("X-Forwarded-Proto", "https"),))
    assert fetch("127.0.0.1", upstream.port, check, "shop.example.org") == Answer(200)
    assert fetch("127.0.0.1", upstream.port, HealthCheck("/503", timeout=20), "shop.example.org") == Answer(503)
    assert upstream.received[0].startswith(b"GET /healthz HTTP/1.1\r\n")
    assert b"\r\nHost: shop.example.org\r\n" in upstream.received[0]
    assert b"\r\nX-Forwarded-Proto: https\r\n" in upstream.received[0]


def test_content_is_looked_for_in_the_body(instance: Callable[[str], Upstream]) -> None:
    port = instance("web.1-a").port
    assert fetch("127.0.0.1", port, HealthCheck("/", content="web.1")) == Answer(200, True)
    assert fetch("127.0.0.1", port, HealthCheck("/", content="web.2")) == Answer(200, False)


def test_https_is_asked_without_a_look_at_the_certificate(tmp_path: Path) -> None:
    certificates.ensure_fallback_certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(next(tmp_path.glob("*.pem")))
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        answer = fetch("127.0.0.1", server.server_port, HealthCheck("/nothing-here", scheme="https", timeout=20))
        thread.join()
    assert answer == Answer(404)


def test_no_answer_is_no_status(instance: Callable[[str], Upstream]) -> None:
    upstream = instance("web.1-a")
    assert fetch("127.0.0.1", upstream.port, HealthCheck("/close", timeout=1)) is None
    assert fetch("127.0.0.1", upstream.port, HealthCheck("/held", timeout=1)) is None
    assert fetch("127.0.0.1", free_ports(1)[0], HealthCheck("/", timeout=1)) is None


def test_something_that_is_not_http_is_no_status() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-something\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert fetch("127.0.0.1", server.getsockname()[1], HealthCheck("/", timeout=1)) is None
        thread.join()
