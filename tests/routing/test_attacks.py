"""Requests that try to slip past the proxy, as bytes: each is refused, or reaches the app without what it forged."""

from __future__ import annotations

import re
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from routing_support import Haproxy, Upstream, get, running_haproxy, say, start_upstream
from wherry.routing.proxy import Route

CASES: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "data" / "attacks.toml").read_text("utf-8"))


@dataclass
class Shop:
    port: int
    upstream: Upstream


@pytest.fixture(scope="module")
def shop(shared_haproxy: Haproxy) -> Iterator[Shop]:
    upstream = start_upstream("web.1-a")
    shared_haproxy.proxy.publish(Route("shop", ("shop.example.org",), (upstream.target,)))
    yield Shop(shared_haproxy.settings.http_port, upstream)
    upstream.stop()


def _bytes(request: str) -> bytes:
    return re.sub(r"\{(\d+) ([^}]*)\}", lambda found: found[2] * int(found[1]), request).encode()


@pytest.mark.parametrize("name", CASES)
def test_an_attack_gets_nowhere(shop: Shop, name: str) -> None:
    case = CASES[name]
    before = len(shop.upstream.received)
    answer = say(shop.port, _bytes(case["request"]))
    assert int(answer.split(b" ", 2)[1]) in (case["status"], case.get("newer"))
    received = [head.decode("latin-1") for head in shop.upstream.received[before:]]
    assert len(received) == (0 if case.get("refused") else 1)
    lines = [line for head in received for line in head.splitlines(keepends=True)]
    assert [word for word in case.get("hidden", ()) for line in lines if line.lower().startswith(word.lower())] == []
    assert [line for line in case.get("shown", ()) if f"{_bytes(line).decode()}\r\n" not in lines] == []


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("host-")])
def test_a_host_that_is_not_one_is_never_repeated(shop: Shop, name: str) -> None:
    request = _bytes(CASES[name]["request"])
    host = request.partition(b"Host: ")[2].partition(b"\r\n")[0]
    assert host not in say(shop.port, request)


CURL = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--http2-prior-knowledge", "--max-time", "10"]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["-H", "X_Forwarded_For: 6.6.6.6", "-H", "X-Forwarded-For: 6.6.6.6", "-H", "X-Request-Id: forged"], 200),
        (["-H", "Transfer-Encoding: chunked", "-d", "hello"], 200),
        (["-H", "Host: nobody.example.org", "-H", "X-Forwarded-Host: shop.example.org"], 421),
        (["-H", "Host: shop_1.example.org"], 400),
        (["-X", "TRACE"], 405),
    ],
)
def test_http_2_gets_no_further(shop: Shop, words: list[str], status: int) -> None:
    """What was forged in HTTP/1 may be tried in HTTP/2, which the same port understands."""
    before = len(shop.upstream.received)
    argv = [*CURL, "-H", "Host: shop.example.org"] if "Host: " not in " ".join(words) else CURL
    done = subprocess.run([*argv, *words, f"http://127.0.0.1:{shop.port}/x"], capture_output=True, text=True, check=False)
    assert done.stdout == f"2 {status}", done
    heads = [head.decode("latin-1").lower() for head in shop.upstream.received[before:]]
    assert len(heads) == (status == 200)
    assert not any(forged in head for head in heads for forged in ("6.6.6.6", "forged", "x_"))


def test_heads_that_never_end_are_ended_and_keep_nobody_out(tmp_path: Path, shop: Shop) -> None:
    """Slowloris: a byte now and then is no reason to wait longer."""
    with ExitStack() as stack:
        haproxy = stack.enter_context(running_haproxy(tmp_path, head_timeout=2))
        haproxy.proxy.publish(Route("shop", ("shop.example.org",), (shop.upstream.target,)))
        shop = Shop(haproxy.settings.http_port, shop.upstream)
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", shop.port), 30)) for _ in range(200)]
        for sock in slow:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: shop.example.org\r\nX-Slow: ")
        began, heard = time.monotonic(), b""
        while not heard and time.monotonic() - began < 60:
            assert get(shop.port, "shop.example.org").status == 200
            with suppress(OSError):
                slow[0].send(b"a")
            heard = heard_within(slow[0], 0.3)
        assert heard.startswith(b"HTTP/1.1 408 ")
        assert all(heard_within(sock, 30.0) for sock in slow[1:])


def heard_within(sock: socket.socket, seconds: float) -> bytes:
    sock.settimeout(seconds)
    try:
        return sock.recv(65536)
    except TimeoutError:
        return b""


def test_a_smuggled_request_does_not_live_on_in_the_connection(shop: Shop) -> None:
    before = len(shop.upstream.received)
    say(shop.port, _bytes(CASES["content-length-and-chunked"]["request"]))
    say(shop.port, b"GET /after HTTP/1.1\r\nHost: shop.example.org\r\nConnection: close\r\n\r\n")
    assert [head.split()[1] for head in shop.upstream.received[before:]] == [b"/x", b"/after"]
