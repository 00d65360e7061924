"""One look at an instance: does it listen, what does it answer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from routing_support import Upstream, free_ports
from wherry.routing.probe import check_http, listens


def test_a_listening_instance_is_seen(instance: Callable[[str], Upstream]) -> None:
    upstream = instance("web.1-a")
    assert listens("127.0.0.1", upstream.port, 1.0)
    assert not listens("127.0.0.1", free_ports(1)[0], 1.0)


def test_an_address_that_nobody_has_takes_no_longer_than_allowed() -> None:
    before = time.monotonic()
    assert not listens("192.0.2.1", 80, 0.2)
    assert time.monotonic() - before < 1


def test_a_health_check_tells_the_status_and_asks_for_the_host(instance: Callable[[str], Upstream]) -> None:
    upstream = instance("web.1-a")
    assert check_http("127.0.0.1", upstream.port, "/healthz", "shop.example.org", 1.0) == 200
    assert check_http("127.0.0.1", upstream.port, "/503", "shop.example.org", 1.0) == 503
    assert upstream.received[0].startswith(b"GET /healthz HTTP/1.1\r\n")
    assert b"\r\nHost: shop.example.org\r\n" in upstream.received[0]


def test_no_answer_is_no_status(instance: Callable[[str], Upstream]) -> None:
    upstream = instance("web.1-a")
    assert check_http("127.0.0.1", upstream.port, "/held", timeout=0.1) is None
    assert check_http("127.0.0.1", upstream.port, "/close", timeout=1.0) is None
    assert check_http("127.0.0.1", free_ports(1)[0], "/", timeout=0.1) is None


def test_something_that_is_not_http_is_no_status() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-something\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert check_http("127.0.0.1", server.getsockname()[1], "/", timeout=1.0) is None
        thread.join()
