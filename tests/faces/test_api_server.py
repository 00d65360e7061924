"""The server itself: who the kernel says connects, slow and broken clients, followers, the end, and how fast it is."""

from __future__ import annotations

import os
import pwd
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from api_support import Served, account, received, served
from stored_platform import ADMIN, deployed, finished, new_platform, running
from wherry import clock
from wherry.faces.api.followers import PLACES
from wherry.model.log_line import LogRecord
from wherry.services import formation, tokens, users
from wherry.services.platform import Platform
from wherry.store.app_logs import AppLogs

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other accounts for a moment")
NOBODY = pwd.getpwnam("nobody").pw_uid


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    home = tmp_path_factory.mktemp("api")
    made = new_platform(home)
    users.add(made, ADMIN, "alice", "admin", 4242)
    users.add(made, ADMIN, "rita", "read")
    deployed(made)
    running(made)
    for folder in (home, *home.parents):
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o001:
            folder.chmod(0o755)
    return made


@pytest.fixture(scope="module")
def api(platform: Platform) -> Iterator[Served]:
    with served(platform.settings.home) as server:
        yield server
        assert "Traceback" not in server.errors.read_text()


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Served]:
    """A server that waits one second for a body, not ten."""
    new_platform(tmp_path)
    with served(tmp_path, body_seconds=1.0) as server:
        yield server


def follow(api: Served, path: str, accept: str = "text/plain") -> tuple[HTTPConnection, HTTPResponse]:
    connection = api.local()
    connection.request("GET", path, headers={"Accept": accept})
    return connection, connection.getresponse()


def said(platform: Platform, text: str) -> None:
    AppLogs(platform.settings.app_logs).append("shop", [LogRecord("2026-01-01T00:00:00.000000Z", "app", "web.1", text)])


@ROOT_ONLY
def test_root_is_admin_at_the_socket_and_nobody_over_tcp(api: Served) -> None:
    assert api.ask("GET", "/api").document["actor"] == {"name": "root", "role": "admin", "via": "local"}
    assert api.ask("GET", "/api", tcp=True).status == 401


@ROOT_ONLY
def test_a_registered_account_is_its_user_without_a_token(api: Served) -> None:
    with account(4242):
        assert api.ask("GET", "/api").document["actor"] == {"name": "alice", "role": "admin", "via": "local"}


@ROOT_ONLY
def test_another_account_is_told_how_to_get_in(api: Served) -> None:
    with account(54321):
        answer = api.ask("GET", "/api/apps")
    assert answer.status == 401
    assert answer.document["detail"] == "the account 54321 is no user of this platform"
    assert "sudo" in answer.document["hint"] and "tokens:create" in answer.document["hint"]


@ROOT_ONLY
def test_the_receiver_speaks_for_the_user_whose_key_was_proven(api: Served) -> None:
    with account(NOBODY):
        assert api.ask("GET", "/api", Wherry_Actor="rita").document["actor"] == {"name": "rita", "role": "read", "via": "ssh"}
        assert api.ask("POST", "/api/apps", {"name": "x"}, Wherry_Actor="rita").status == 403
        assert api.ask("GET", "/api", Wherry_Actor="eve").status == 401
        assert api.ask("GET", "/api").status == 401


@ROOT_ONLY
def test_nobody_else_speaks_for_others(api: Served) -> None:
    for uid in (4242, 54321):
        with account(uid):
            assert api.ask("GET", "/api", Wherry_Actor="alice").status == 401


def test_a_token_counts_over_tcp_and_before_the_account_at_the_socket(api: Served, platform: Platform) -> None:
    secret = tokens.create(platform, ADMIN, "look", user="rita")[1].reveal()
    for tcp in (True, False):
        answer = api.ask("GET", "/api", tcp=tcp, Authorization=f"Bearer {secret}")
        assert answer.document["actor"] == {"name": "rita", "role": "read", "via": "token"}


def test_two_authorization_headers_are_refused(api: Served) -> None:
    answer = api.raw(
        b"GET /api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 400 ") and b"two Authorization headers" in answer


def test_two_hosts_or_none_are_no_loopback(api: Served) -> None:
    for hosts in (b"Host: localhost\r\nHost: evil.example\r\n", b"Host: evil.example\r\n", b""):
        answer = api.raw(b"GET /api HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n", tcp=True)
        assert answer[:12] in (b"HTTP/1.1 421", b"HTTP/1.1 400"), answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"hello\r\n\r\n",
        b"GET / HT\x00TP/1.1\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nno colon here\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/apps HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/apps HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_http_is_refused_as_a_problem(api: Served, request_bytes: bytes) -> None:
    answer = api.raw(request_bytes + b"\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head[9:12] in (b"400", b"414", b"431"), answer
    assert b"application/problem+json" in head
    assert b'"code":"bad_request"' in body


@pytest.mark.parametrize("chunks", [b"zz\r\n", b'5\r\n{"nam', b"fffffffffff\r\n"])
def test_a_chunked_body_that_breaks_off_is_refused(api: Served, chunks: bytes) -> None:
    head = b"POST /api/apps HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(60)
        sock.connect(str(api.path))
        sock.sendall(head + chunks)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_a_body_that_never_ends_gets_408_however_steadily_it_drips(impatient: Served) -> None:
    began = clock.monotonic()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(1)
        sock.connect(str(impatient.path))
        sock.sendall(b"POST /api/apps HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        answer = b""
        while not answer and clock.monotonic() - began < 60:
            try:
                sock.send(b" ")
                answer = received(sock)
            except TimeoutError:
                continue
            except BrokenPipeError:
                answer = received(sock)
        sock.settimeout(30)
        while b"body_too_slow" not in answer and (more := received(sock)):
            answer += more
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body_too_slow"' in answer
    assert clock.monotonic() - began >= 1


def test_lines_of_a_log_arrive_while_it_grows(api: Served, platform: Platform) -> None:
    said(platform, "before")
    connection, stream = follow(api, "/api/apps/shop/logs?n=1&follow=true")
    with closing(connection):
        assert stream.readline().endswith(b"before\n")
        said(platform, "after")
        assert stream.readline().endswith(b"after\n")


def test_an_operation_is_followed_as_it_happens_and_to_its_end(api: Served, platform: Platform) -> None:
    operation = formation.restart(platform, ADMIN, "shop")
    connection, stream = follow(api, f"/api/operations/{operation.id}/log?follow=true", "text/event-stream")
    with closing(connection):
        assert stream.readline() == b": following\n"
        platform.operation_logs.write(operation.id, "web.1 restarts")
        assert [stream.readline() for _ in range(2)] == [b"\n", b"data: web.1 restarts\n"]
        finished(platform, operation.id, message="done")
        rest = stream.read().decode()
    assert "event: done\n" in rest and '"state":"succeeded"' in rest


def test_one_follower_too_many_is_told_to_come_back_and_short_requests_go_on(api: Served) -> None:
    open_ones = [follow(api, "/api/apps/shop/logs?n=0&follow=true", "text/event-stream") for _ in range(PLACES)]
    try:
        answer = api.ask("GET", "/api/apps/shop/logs?follow=true")
        assert (answer.status, answer.document["code"]) == (503, "too_many_followers")
        assert int(answer.headers["retry-after"]) > 0
        assert api.ask("GET", "/api/apps").status == 200
    finally:
        for connection, _ in open_ones:
            connection.close()
    assert wait_for_a_place(api), "a follower who hung up still holds a place"


def test_a_follower_who_asks_with_head_holds_no_place(api: Served) -> None:
    for _ in range(PLACES + 2):
        assert api.ask("HEAD", "/api/apps/shop/logs?follow=true").status == 200
    assert wait_for_a_place(api)


def wait_for_a_place(api: Served) -> bool:
    end = clock.monotonic() + 60
    while clock.monotonic() < end:
        connection, stream = follow(api, "/api/apps/shop/logs?n=0&follow=true", "text/event-stream")
        with closing(connection):
            if stream.status == 200:
                return True
        clock.sleep(0.1)
    return False


def test_many_ask_at_once_and_each_gets_its_answer(api: Served) -> None:
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.extend(api.ask("GET", "/api/apps").status for _ in range(10))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 100


def test_the_socket_lets_everybody_knock_and_the_log_has_no_access_lines(api: Served) -> None:
    assert api.path.stat().st_mode & 0o777 == 0o666
    assert "GET /api" not in api.errors.read_text()


def test_it_ends_soon_with_followers_and_takes_its_socket_along(platform: Platform, tmp_path: Path) -> None:
    made = new_platform(tmp_path)
    deployed(made)
    with served(tmp_path) as api:
        connection, stream = follow(api, "/api/apps/shop/logs?n=0&follow=true", "text/event-stream")
        with closing(connection):
            assert api.stop() < 20
            assert api.process.returncode == 0
            stream.read()
        assert not api.path.exists()
        assert "Traceback" not in api.errors.read_text()


def test_it_starts_again_over_a_socket_that_a_crash_left_behind(platform: Platform, tmp_path: Path) -> None:
    new_platform(tmp_path)
    with served(tmp_path) as api:
        api.process.kill()
        api.process.wait()
        assert api.path.exists()
    with served(tmp_path) as again:
        assert again.ask("GET", "/healthz").status == 200
