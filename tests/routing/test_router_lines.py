"""What HAProxy says about a request becomes one line of the right app, whatever the visitor sent."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing_support import Haproxy, Upstream, Visitor, get, say
from waiting import until
from wherry.model.log_line import LogRecord, encode
from wherry.model.log_settings import LogSettings
from wherry.routing import router_lines
from wherry.routing.haproxy_config import Files
from wherry.routing.proxy import Door, Route
from wherry.routing.router_gaps import Gaps
from wherry.routing.router_socket import QUEUE, RouterSocket

HOST = "shop.example.org"
SO_SNDBUFFORCE = 32
"""socket(7); Python has no name for it."""


@dataclass
class Log:
    """What arrived, by app; `wishes` are the apps that there are."""

    wishes: dict[str, LogSettings] = field(default_factory=lambda: {"shop": LogSettings(), "empty": LogSettings()})
    records: dict[str, list[LogRecord]] = field(default_factory=dict)

    def append(self, app: str, records: list[LogRecord]) -> None:
        self.records.setdefault(app, []).extend(records)

    def lines(self, app: str = "shop") -> list[str]:
        return [str(record.text) for record in self.records.get(app, [])]

    def wait(self, count: int, app: str = "shop") -> list[str]:
        until(lambda: len(self.lines(app)) >= count)
        return self.lines(app)


@pytest.fixture
def log(haproxy: Haproxy) -> Iterator[Log]:
    made = Log()
    router = RouterSocket(Files(haproxy.settings).router, made.append, made.wishes.get)
    router.start()
    yield made
    router.stop()


@pytest.fixture
def shop(haproxy: Haproxy, instance: Callable[[str], Upstream]) -> Upstream:
    upstream = instance("web.1-3f2c1ab09d3e")
    haproxy.proxy.publish(Route("shop", (HOST,), (upstream.target,)))
    return upstream


def test_a_request_leaves_a_line_in_herokus_form(haproxy: Haproxy, log: Log, shop: Upstream) -> None:
    get(haproxy.settings.http_port, HOST, "/cart?token=hidden")
    said = log.wait(1)[0]
    form = (
        r'at=info method=GET path="/cart" host=shop\.example\.org request_id=[0-9a-f-]{36} fwd="127\.0\.0\.1" dyno=web\.1'
        r" connect=[0-9]+ms service=[0-9]+ms status=200 bytes=[0-9]+ protocol=http"
    )
    assert re.fullmatch(form, said), said
    assert shop.received[0].decode().lower().partition("x-request-id: ")[2].startswith(said.partition("request_id=")[2][:36])
    assert encode(log.records["shop"][0]).partition(b"Z ")[2].startswith(b"heroku[router]: at=info")


def test_a_request_that_waited_and_was_answered_is_no_error(patient_haproxy: Haproxy, instance: Callable[[str], Upstream]) -> None:
    made, proxy = Log(), patient_haproxy.proxy
    router = RouterSocket(Files(patient_haproxy.settings).router, made.append, made.wishes.get)
    router.start()
    proxy.publish(Route("shop", (HOST,), state="held"))
    visitor = Visitor(patient_haproxy.settings.http_port)
    visitor.send(HOST, "/waits")
    visitor.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        visitor.socket.recv(1)
    proxy.publish(Route("shop", (HOST,), (instance("web.1-3f2c1ab09d3e").target,)))
    visitor.socket.settimeout(60)
    assert visitor.read().status == 200
    visitor.close()
    assert made.wait(1)[0].startswith('at=info method=GET path="/waits" host=shop.example.org')
    assert " dyno=web.1 " in made.lines()[0]
    router.stop()


def test_query_strings_are_shown_to_those_who_want_them(haproxy: Haproxy, log: Log, shop: Upstream) -> None:
    log.wishes["shop"] = LogSettings(query=True)
    get(haproxy.settings.http_port, HOST, "/cart?page=2")
    assert 'path="/cart?page=2"' in log.wait(1)[0]


def test_an_app_that_wants_no_router_lines_gets_none(haproxy: Haproxy, log: Log, shop: Upstream) -> None:
    log.wishes["shop"] = LogSettings(router=False)
    haproxy.proxy.publish(Route("empty", ("empty.example.org",), (), "empty"))
    get(haproxy.settings.http_port, HOST)
    get(haproxy.settings.http_port, "empty.example.org")
    assert 'path="/"' in log.wait(1, "empty")[0], "the second request's line came, so the first one's was taken in"
    assert log.lines() == []


def test_what_went_wrong_has_herokus_code(haproxy: Haproxy, log: Log, shop: Upstream) -> None:
    port = haproxy.settings.http_port
    haproxy.proxy.publish(Route("empty", ("empty.example.org",), (), "empty"))
    get(port, HOST, "/close")
    assert log.wait(1)[0].startswith('at=error code=H13 desc="Connection closed without response" method=GET path="/close"')
    get(port, HOST, "/503")
    assert log.wait(2)[1].startswith("at=info method=GET"), "the app's own answer is its own affair"
    get(port, "empty.example.org")
    assert log.wait(1, "empty")[0].startswith('at=error code=H81 desc="Blank app"')
    assert " dyno= connect= service= status=503 " in log.lines("empty")[0]
    haproxy.proxy.face(Route("shop", (HOST,), (), door=Door(maintenance="plain")))
    get(port, HOST)
    assert 'code=H80 desc="Maintenance mode"' in log.wait(3)[2]


def test_a_visitor_who_leaves_is_told_from_an_app_that_fails(haproxy: Haproxy, log: Log, shop: Upstream) -> None:
    visitor = Visitor(haproxy.settings.http_port)
    visitor.send(HOST, "/sse")
    visitor.socket.recv(65536)
    visitor.close()
    shop.gate.set()
    assert log.wait(1)[0].startswith('at=warning code=H27 desc="Client Request Interrupted"') or "status=200" in log.lines()[0]


def test_a_request_to_no_app_leaves_no_line(haproxy: Haproxy, log: Log, shop: Upstream) -> None:
    get(haproxy.settings.http_port, "nobody.example.org")
    say(haproxy.settings.http_port, b"nonsense\r\n\r\n")
    get(haproxy.settings.http_port, HOST)
    log.wait(1)
    assert list(log.records) == ["shop"]


HOSTILE = (
    rb'GET /a"\x1b[31m HTTP/1.1',
    b'GET /"%0d%0a2026-01-01T00:00:00.000000Z app[web.1]: forged HTTP/1.1',
    b"GET /a#22b{x}|'\\ HTTP/1.1",
    b'B"AD /x HTTP/1.1',
    b"BREW^~' http://shop.example.org/pot HTTP/1.1",
    "GET /bücher?ö HTTP/1.1".encode(),
    b"GET /\x85\xe2\x80\xa8 HTTP/1.1",
    b"GET /%E2%80%AE" + b"y" * 5000 + b" HTTP/1.1",
)


def test_a_hostile_request_makes_one_line_or_none(haproxy: Haproxy, log: Log, shop: Upstream) -> None:
    for request in HOSTILE:
        say(haproxy.settings.http_port, request + b"\r\nHost: shop.example.org\r\nConnection: close\r\n\r\n")
    get(haproxy.settings.http_port, HOST, "/last")
    until(lambda: any("/last" in line for line in log.lines()))
    for record in log.records["shop"]:
        line = encode(record)
        assert line.count(b"\n") == 1 and len(line) < 2000
        assert re.fullmatch(
            r'at=info method=(\S+) path="([^"\\]|\\.)*" host=shop\.example\.org request_id=[0-9a-f-]{36} .*', str(record.text)
        )


@given(st.binary(max_size=3000), st.binary(max_size=50))
def test_no_path_or_method_can_forge_a_second_line(path: bytes, method: bytes) -> None:
    said = b"".join(b"%c" % byte if 32 < byte < 127 and byte not in b'#"' else b"#%02X" % byte for byte in path)
    verb = b"".join(b"%c" % byte if 32 < byte < 127 and byte not in b'#"' else b"#%02X" % byte for byte in method) or b"GET"
    words = b"7 0 shop 0 -- 200 - 1 shop:web.1-3f 192.0.2.7 0 1 2 3 58 1 id shop.example.org"
    line = router_lines.read(words + b" " + verb + b" /" + said + b"\n")
    assert line is not None
    whole = encode(LogRecord("2026-11-21T07:43:05.123456Z", "heroku", "router", router_lines.shown(line, query=True)))
    assert whole.count(b"\n") == 1 and whole.endswith(b"\n")
    text = whole.decode().partition("path=")[2]
    assert re.match(r'"([^"\\]|\\.)*" host=shop\.example\.org request_id=id fwd="192\.0\.2\.7" dyno=web\.1 ', text), text


@given(st.binary(max_size=400))
def test_any_datagram_is_read_or_passed_over(datagram: bytes) -> None:
    gaps = Gaps()
    gaps.count(datagram)
    assert gaps.lost() == 0
    line = router_lines.read(datagram)
    assert line is None or router_lines.shown(line).isprintable()


def test_load_is_thinned_and_counted(own_haproxy: Haproxy, instance: Callable[[str], Upstream]) -> None:
    made = Log()
    router = RouterSocket(Files(own_haproxy.settings).router, made.append, made.wishes.get)
    router.start()
    upstream = instance("web.1-a")
    own_haproxy.proxy.publish(Route("shop", (HOST,), (upstream.target,)))
    visitor = Visitor(own_haproxy.settings.http_port)
    for _ in range(40):
        visitor.socket.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode() * 100)
        for _ in range(100):
            visitor.read()
    visitor.close()
    until(lambda: _shown(made) + _dropped(made) > 2500)
    router.stop()
    shown = _shown(made)
    assert 200 <= shown < 3500
    assert 2500 < shown + _dropped(made) < 6000, "an estimate, and a fair one"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make room in the kernel's queue")
def test_a_burst_after_a_quiet_time_finds_room(tmp_path: Path) -> None:
    made = Log()
    router = RouterSocket(tmp_path / "router.sock", made.append, made.wishes.get)
    router.start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as proxy:
        proxy.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 2**20)  # a proxy has several threads, each with a buffer of its own
        for number in range(QUEUE):
            said = f"7 {number} shop 0 -- 200 - 1 shop:web.1-3f 192.0.2.7 0 1 2 3 58 1 id shop.example.org GET /{number}"
            proxy.sendto(said.encode(), socket.MSG_DONTWAIT, str(tmp_path / "router.sock"))
    assert len(made.wait(QUEUE)) == QUEUE
    router.stop()


def _shown(log: Log) -> int:
    return sum("at=info" in line for line in log.lines())


def _dropped(log: Log) -> int:
    marks = [re.match(r"(?:about )?([0-9]+) router lines", line) for line in log.lines()]
    return sum(int(mark[1]) for mark in marks if mark)


def test_nobody_waits_for_an_engine_that_takes_no_lines(haproxy: Haproxy, shop: Upstream) -> None:
    path = Files(haproxy.settings).router
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(path))
        began = time.monotonic()
        visitor = Visitor(haproxy.settings.http_port)
        for _ in range(500):
            assert visitor.get(HOST).status == 200
        assert time.monotonic() - began < 60
    path.unlink()
    assert visitor.get(HOST).status == 200
    visitor.close()


def test_lines_that_were_lost_on_the_way_are_counted_once_they_are_sure(tmp_path: Path) -> None:
    gaps = Gaps()
    for number in (0, 1, 4, 3):
        gaps.count(b"7 %d shop 0" % number)
    assert gaps.lost() == 0, "it may only be late"
    assert gaps.lost() == 1
    gaps.count(b"7 5 shop 0")
    assert gaps.lost() == 0


def test_what_haproxy_did_before_our_time_is_no_loss_of_ours() -> None:
    gaps = Gaps()
    gaps.count(b"7 900 shop 0")
    gaps.count(b"7 901 shop 0")
    assert [gaps.lost(), gaps.lost()] == [0, 0]
