"""The control API as a stranger's socket meets it: bytes that are nearly HTTP, and clients that never finish a request."""

from __future__ import annotations

import re
import socket
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from api_support import Served, served
from stored_platform import ADMIN
from wherry import clock
from wherry.faces.api.server import HEADER_SECONDS, THREADS
from wherry.services import apps, tokens
from wherry.services.platform import Platform

CASES: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "data" / "api_bytes.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def api(platform: Platform) -> Iterator[Served]:
    with served(platform.settings.home) as server:
        yield server
        assert "Traceback" not in server.errors.read_text()


@pytest.fixture(scope="module")
def token(platform: Platform) -> str:
    return tokens.create(platform, ADMIN, "bytes", "admin", "alice")[1].reveal()


@pytest.mark.parametrize("name", CASES)
def test_bytes_are_a_request_or_are_refused_and_never_two_requests(api: Served, platform: Platform, token: str, name: str) -> None:
    text = re.sub(r"\{(\d+) ([^}]*)\}", lambda found: found[2] * int(found[1]), CASES[name]["request"])
    request = text.replace("<auth>", f"Authorization: Bearer {token}\r\n").replace("<token>", token).encode()
    answer = api.raw(request, tcp=True)
    assert [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)] == CASES[name]["answers"]
    assert [app.name for app in apps.every(platform, ADMIN)] == ["shop"]


def test_the_client_that_sends_half_requests_does_not_keep_others_out(api: Served) -> None:
    """Each holds a thread, and there are fewer threads than half requests. They are all accepted before the last one."""
    with ExitStack() as stack:
        for _ in range(THREADS * 2):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", api.port)))
            half.sendall(b"GET /api HTTP/1.1\r\nHo")
        began = clock.monotonic()
        assert api.ask("GET", "/healthz", tcp=True).status == 200
        assert clock.monotonic() - began < HEADER_SECONDS - 2, "it took as long as a half request may"


def test_one_slow_client_alone_is_given_its_time(api: Served) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHo")
        clock.sleep(2.5)
        slow.sendall(b"st: localhost\r\nConnection: close\r\n\r\n")
        assert slow.recv(65536).startswith(b"HTTP/1.1 200 ")
