"""Drains over real sockets: every line arrives in order, whatever the receiver or the platform does meanwhile."""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificate_support import Authority
from draining_support import posts, syslog, unframed
from free_ports import free_port
from waiting import until
from wherry.draining import frames
from wherry.draining.senders import Way
from wherry.draining.worker import DrainWorker
from wherry.model.drain import Drain
from wherry.model.log_line import LogRecord, encode
from wherry.secret import Secret
from wherry.store.app_logs import AppLogs

AT = "2026-11-21T07:43:05.123456Z"
INSIDE = Way(internal=True)


@dataclass
class Shop:
    """An app's log, and drains of it that end with the test."""

    home: Path
    logs: AppLogs
    told: list[tuple[str, str]] = field(default_factory=list)
    workers: list[DrainWorker] = field(default_factory=list)

    def says(self, *texts: str) -> None:
        self.logs.append("shop", [LogRecord(AT, "app", "web.1", text) for text in texts])

    def drain(self, url: str, way: Way = INSIDE) -> DrainWorker:
        drain = Drain(1, "shop", Secret(url), "d.1", AT, "alice")
        place = self.home / "places" / "1"
        worker = DrainWorker(drain, self.home / "apps" / "shop", place, way, lambda _, state, why: self.told.append((state, why)), 0.1)
        worker.start()
        self.workers.append(worker)
        if not place.exists():
            until(place.exists)
        return worker

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()
        for worker in self.workers:
            worker.join(60)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, AppLogs(tmp_path / "apps", cap=256 * 1024))
    made.says("before the drain")
    yield made
    made.stop()


def test_lines_arrive_as_syslog_messages_from_the_moment_the_drain_is_there(shop: Shop) -> None:
    with syslog() as receiver:
        shop.drain(f"syslog+tcp://127.0.0.1:{receiver.port}")
        shop.says("one", "two\n3 forged")
        until(lambda: len(receiver.messages) == 2)
    assert receiver.messages == [
        f"<190>1 {AT} shop app web.1 - - one".encode(),
        f"<190>1 {AT} shop app web.1 - - two\\n3 forged".encode(),
    ]
    assert shop.told == []


def test_lines_arrive_over_tls_from_a_receiver_that_is_who_it_says(shop: Shop) -> None:
    authority = Authority()
    signed = authority.sign("localhost")
    (shop.home / "served.pem").write_text(signed.bundle)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(shop.home / "served.pem")
    with syslog(tls=server) as receiver:
        shop.drain(f"syslog+tls://localhost:{receiver.port}", Way(True, ssl.create_default_context(cadata=authority.certificate)))
        shop.says("one")
        until(lambda: receiver.messages)
        shop.stop()
        shop.drain(f"syslog+tls://localhost:{receiver.port}")
        shop.says("two")
        until(lambda: shop.told)
    assert receiver.texts() == ["one"]
    assert shop.told[0][0] == "failing" and "certificate" in shop.told[0][1]


def test_lines_arrive_as_datagrams(shop: Shop) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        shop.drain(f"syslog+udp://127.0.0.1:{receiver.getsockname()[1]}")
        shop.says("one", "x" * 5000)
        assert receiver.recv(65536) == f"<190>1 {AT} shop app web.1 - - one".encode()
        assert len(receiver.recv(65536)) == 2048


def test_lines_are_posted_as_heroku_posts_them(shop: Shop) -> None:
    with posts() as receiver:
        shop.drain(f"http://user:p%40ss@127.0.0.1:{receiver.port}/in?key=1")
        shop.says("one", "two")
        until(lambda: len(receiver.messages) == 2)
    assert receiver.messages[0] == f"<190>1 {AT} shop app web.1 - one\n".encode()
    head = receiver.heads[0]
    assert (head["path"], head["Content-Type"], head["Logplex-Drain-Token"]) == ("/in?key=1", "application/logplex-1", "d.1")
    assert head["Authorization"] == "Basic dXNlcjpwQHNz" and head["Logplex-Msg-Count"] == "2"


def test_a_receiver_that_was_away_gets_all_in_order_once_it_is_back(shop: Shop) -> None:
    port = free_port()
    shop.drain(f"syslog+tcp://127.0.0.1:{port}")
    shop.says(*(str(number) for number in range(100)))
    until(lambda: shop.told)
    assert shop.told[0] == ("failing", "Connection refused")
    with syslog(port) as receiver:
        until(lambda: len(receiver.messages) >= 100)
        until(lambda: len(shop.told) == 2)
        receiver.hang_up()
        shop.says("after it hung up")
        until(lambda: "after it hung up" in receiver.texts())
    assert receiver.texts()[:100] == [str(number) for number in range(100)]
    assert shop.told[1] == ("sending", "")


def test_a_receiver_is_found_at_any_of_its_addresses(shop: Shop) -> None:
    with syslog() as receiver:
        way = Way(internal=True, look_up=lambda *_: ["::1", "127.0.0.2", "127.0.0.1"])
        shop.drain(f"syslog+tcp://logs.example.org:{receiver.port}", way)
        shop.says("one")
        until(lambda: receiver.texts() == ["one"])
    assert shop.told == []


def test_a_restart_of_the_platform_leaves_out_no_line(shop: Shop) -> None:
    with syslog() as receiver:
        shop.drain(f"syslog+tcp://127.0.0.1:{receiver.port}")
        shop.says("one")
        until(lambda: receiver.messages)
        shop.stop()
        shop.says("while nobody sent")
        shop.drain(f"syslog+tcp://127.0.0.1:{receiver.port}")
        until(lambda: receiver.texts()[-1:] == ["while nobody sent"])
    assert receiver.texts() == ["one", "while nobody sent"]


def test_what_the_log_could_not_keep_is_told_in_herokus_words(shop: Shop) -> None:
    with syslog() as receiver:
        shop.drain(f"syslog+tcp://127.0.0.1:{receiver.port}")
        shop.stop()
        noise = random.Random(1)
        for number in range(100):
            shop.says(*(f"{number} {noise.randbytes(100).hex()}" for _ in range(50)))
        shop.says("the end")
        shop.drain(f"syslog+tcp://127.0.0.1:{receiver.port}")
        until(lambda: receiver.texts()[-1:] == ["the end"])
    (mark,) = [text for text in receiver.texts() if text.startswith("Error L10")]
    missed = 5_001 - (len(receiver.messages) - 1)
    assert missed > 100
    assert mark.startswith(f"Error L10 (output buffer overflow): {missed} messages dropped: ")


def test_lines_that_are_refused_as_such_do_not_hold_up_the_others(shop: Shop) -> None:
    with posts() as receiver:
        receiver.answer = 400
        shop.drain(f"http://127.0.0.1:{receiver.port}/")
        shop.says("poison", "pill")
        until(lambda: len(receiver.heads) >= 3)
        receiver.answer = 200
        shop.says("fine")
        until(lambda: "fine" in receiver.texts())
    assert "Error L10 (output buffer overflow): 2 messages dropped: it answers 400" in receiver.texts()
    assert not any("169.254" in head["path"] for head in receiver.heads)


def test_a_redirect_is_not_followed(shop: Shop) -> None:
    with posts() as receiver:
        receiver.answer = 307
        shop.drain(f"http://127.0.0.1:{receiver.port}/")
        shop.says("one")
        until(lambda: shop.told)
    assert shop.told == [("failing", "it answers 307")]


def test_nothing_is_sent_inwards_unless_the_owner_allows_it(shop: Shop) -> None:
    with syslog() as receiver:
        shop.drain(f"syslog+tcp://127.0.0.1:{receiver.port}", Way(internal=False))
        shop.says("one")
        until(lambda: shop.told)
    assert shop.told[0] == ("failing", "127.0.0.1 is a private or local address")
    assert receiver.messages == []


def test_a_deaf_receiver_holds_up_nobody_but_itself(shop: Shop) -> None:
    with syslog() as receiver:
        receiver.deaf = True
        shop.drain(f"syslog+tcp://127.0.0.1:{receiver.port}")
        for _ in range(10):
            shop.says(*["z" * 1000] * 100)
        shop.says("the last one")
        assert shop.logs.tail("shop", 1)[0].endswith("the last one")
        assert receiver.messages == []


@given(st.text(max_size=2000), st.sampled_from(["app", "heroku", "wherry"]))
def test_no_text_ends_a_message(text: str, source: str) -> None:
    line = encode(LogRecord(AT, source, "web.1", text)).decode().removesuffix("\n")
    messages, rest = unframed(frames.counted(frames.syslog("shop", line)) + frames.logplex("shop", [line, line]))
    assert (len(messages), rest) == (3, b"")
    assert messages[0].startswith(f"<{190 if source == 'app' else 158}>1 {AT} shop {source} web.1 - - ".encode())
