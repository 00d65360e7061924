"""Real requests through a real HAProxy: what the app sees, what lives long, and that no change loses a request."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable

import pytest

from routing_support import Haproxy, Upstream, Visitor, get, load_on, running_haproxy, say
from waiting import until
from wherry.routing import haproxy_config
from wherry.routing.certificates import ensure_fallback_certificate
from wherry.routing.haproxy_proxy import HaproxyProxy
from wherry.routing.proxy import Route, Target

HOST = "shop.example.org"
WEBSOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
Instance = Callable[[str], Upstream]


def _route(*targets: Target, app: str = "shop", state: str = "serving") -> Route:
    return Route(app, (f"{app}.example.org",), targets, state)


def test_the_app_learns_who_asked_and_how(haproxy: Haproxy, instance: Instance) -> None:
    upstream, port = instance("web.1-a"), haproxy.settings.http_port
    haproxy.proxy.publish(_route(upstream.target))
    get(port, f"{HOST}:{port}")
    seen = dict(line.split(": ", 1) for line in upstream.received[-1].decode().splitlines()[1:])
    assert seen["host"] == seen["x-forwarded-host"] == f"{HOST}:{port}"
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"], seen["x-forwarded-port"]) == ("127.0.0.1", "http", str(port))
    assert len(seen["x-request-id"]) == 36
    assert abs(int(seen["x-request-start"]) / 1000 - time.time()) < 5


def test_hosts_are_met_in_any_spelling(haproxy: Haproxy, instance: Instance) -> None:
    haproxy.proxy.publish(_route(instance("web.1-a").target))
    spellings = [HOST, HOST.upper(), f"{HOST}.", f"{HOST}:8080", f"{HOST}.:8080"]
    assert [get(haproxy.settings.http_port, spelling).status for spelling in spellings] == [200] * 5


@pytest.mark.skipif(not haproxy_config.has_ipv6(), reason="this kernel has no IPv6")
def test_visitors_over_ipv6_are_served_and_named(haproxy: Haproxy, instance: Instance) -> None:
    upstream = instance("web.1-a")
    haproxy.proxy.publish(_route(upstream.target))
    with socket.create_connection(("::1", haproxy.settings.http_port), 5) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert b"x-forwarded-for: ::1\r\n" in upstream.received[-1]


def test_https_works_from_the_first_minute(tmp_path, instance: Instance) -> None:  # type: ignore[no-untyped-def]
    upstream = instance("web.1-a")
    certificate = ensure_fallback_certificate(tmp_path / "proxy" / "certificates", "example.org")
    assert certificate.stat().st_mode & 0o777 == 0o600
    trust = ssl.create_default_context(cadata=certificate.read_text().partition("\n")[2])
    with running_haproxy(tmp_path) as haproxy:
        haproxy.proxy.publish(_route(upstream.target))
        plain = socket.create_connection(("127.0.0.1", haproxy.settings.https_port), 5)
        with trust.wrap_socket(plain, server_hostname=HOST) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert b"x-forwarded-proto: https\r\n" in upstream.received[-1]


def test_a_fallback_certificate_is_made_once_per_domain(tmp_path) -> None:  # type: ignore[no-untyped-def]
    made = ensure_fallback_certificate(tmp_path / "certificates", "example.org").read_bytes()
    assert ensure_fallback_certificate(tmp_path / "certificates", "example.org").read_bytes() == made
    assert ensure_fallback_certificate(tmp_path / "certificates", "example.net").read_bytes() != made


def test_a_websocket_passes(haproxy: Haproxy, instance: Instance) -> None:
    haproxy.proxy.publish(_route(instance("web.1-a").target))
    visitor = Visitor(haproxy.settings.http_port)
    visitor.send(HOST, "/ws", **WEBSOCKET)
    assert visitor.read().status == 101
    for word in (b"hello", b"again"):
        visitor.socket.sendall(word)
        assert visitor.socket.recv(100) == word
    visitor.close()


def test_a_websocket_lives_on_after_its_instance_left_until_it_is_released(haproxy: Haproxy, instance: Instance) -> None:
    haproxy.proxy.publish(_route(instance("web.1-a").target))
    visitor = Visitor(haproxy.settings.http_port)
    visitor.send(HOST, "/ws", **WEBSOCKET)
    assert visitor.read().status == 101
    haproxy.proxy.publish(_route(instance("web.1-b").target))
    visitor.socket.sendall(b"still here")
    assert visitor.socket.recv(100) == b"still here"
    haproxy.proxy.release("shop", "web.1-a")
    assert visitor.socket.recv(100) == b""
    visitor.close()


def test_server_sent_events_arrive_as_they_are_said(haproxy: Haproxy, instance: Instance) -> None:
    upstream = instance("web.1-a")
    haproxy.proxy.publish(_route(upstream.target))
    with socket.create_connection(("127.0.0.1", haproxy.settings.http_port), 5) as connection:
        connection.sendall(f"GET /sse HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        heard = b""
        while b"data: first" not in heard:
            heard += connection.recv(4096)
        assert b"data: second" not in heard
        upstream.gate.set()
        while b"data: second" not in heard:
            heard += connection.recv(4096)


def test_a_large_upload_passes_even_when_its_instance_leaves_meanwhile(haproxy: Haproxy, instance: Instance) -> None:
    size, half = 20 << 20, bytes(10 << 20)
    haproxy.proxy.publish(_route(instance("web.1-a").target))
    visitor = Visitor(haproxy.settings.http_port)
    visitor.socket.sendall(f"POST /upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {size}\r\n\r\n".encode() + half)
    haproxy.proxy.publish(_route(instance("web.1-b").target))
    visitor.socket.sendall(half)
    assert visitor.read().text == str(size)
    visitor.close()


def test_a_slow_answer_survives_a_switch(haproxy: Haproxy, instance: Instance) -> None:
    old, visitor = instance("web.1-a"), Visitor(haproxy.settings.http_port)
    haproxy.proxy.publish(_route(old.target))
    visitor.send(HOST, "/held")
    until(lambda: haproxy.proxy.in_flight("shop") == {"web.1-a": 1})
    haproxy.proxy.publish(_route(instance("web.1-b").target))
    old.gate.set()
    assert visitor.read().text == "web.1-a"
    assert visitor.get(HOST).text == "web.1-b"
    visitor.close()


def test_a_request_is_sent_again_when_one_of_two_instances_is_gone(haproxy: Haproxy, instance: Instance) -> None:
    dead = instance("web.2-a")
    dead.stop()
    haproxy.proxy.publish(_route(instance("web.1-a").target, dead.target))
    assert {get(haproxy.settings.http_port, HOST).text for _ in range(6)} == {"web.1-a"}


def test_fifteen_deploys_under_load_lose_nothing_and_never_go_back(haproxy: Haproxy, instance: Instance) -> None:
    present = instance("web.1-v00")
    haproxy.proxy.publish(_route(present.target))
    with load_on(haproxy.settings.http_port, HOST) as load:
        for version in range(1, 16):
            before, old, present = load.count, present, instance(f"web.1-v{version:02}")
            haproxy.proxy.publish(_route(present.target))
            until(lambda old=old: haproxy.proxy.in_flight("shop")[old.name] == 0)
            old.stop()
            haproxy.proxy.release("shop", old.name)
            until(lambda before=before: load.count > before + 100)
    assert load.lost == []
    assert load.count > 1500
    assert [heard for heard in load.answers if heard != sorted(heard)] == []
    assert {heard[-1] for heard in load.answers} == {"web.1-v15"}


def test_scaling_up_and_down_under_load_loses_nothing(haproxy: Haproxy, instance: Instance) -> None:
    targets = [instance(f"web.{index}-a").target for index in range(1, 6)]
    haproxy.proxy.publish(_route(*targets[:1]))
    with load_on(haproxy.settings.http_port, HOST) as load:
        for quantity in (5, 2, 4, 1, 3):
            before = load.count
            haproxy.proxy.publish(_route(*targets[:quantity]))
            until(lambda before=before: load.count > before + 100)
    assert load.lost == []


def test_a_released_backend_is_used_again(own_haproxy: Haproxy, instance: Instance) -> None:
    targets = [instance("web.1-a").target, instance("web.1-b").target]
    worker = own_haproxy.worker()
    for turn in range(haproxy_config.POOL + 16):
        old, new = targets[turn % 2], targets[(turn + 1) % 2]
        own_haproxy.proxy.publish(_route(new))
        own_haproxy.proxy.release("shop", old.name)
    assert own_haproxy.worker() == worker
    assert list(own_haproxy.proxy.in_flight("shop")) == [new.name]


def test_more_apps_than_the_pool_holds_are_served_and_nobody_notices(own_haproxy: Haproxy, instance: Instance) -> None:
    upstream, worker = instance("web.1-a"), own_haproxy.worker()
    own_haproxy.proxy.publish(_route(upstream.target))
    with load_on(own_haproxy.settings.http_port, HOST, 4) as load:
        for number in range(haproxy_config.POOL):
            own_haproxy.proxy.publish(_route(upstream.target, app=f"app-{number}"))
        before = load.count
        until(lambda: load.count > before + 100)
    assert load.lost == []
    # The worker before may still say goodbye to its visitors.
    until(lambda: own_haproxy.worker() != worker)
    assert get(own_haproxy.settings.http_port, f"app-{haproxy_config.POOL - 1}.example.org").status == 200
    assert len(own_haproxy.proxy.routes()) == haproxy_config.POOL + 1


def test_a_request_that_a_reload_left_behind_is_still_counted_and_cut(own_haproxy: Haproxy, instance: Instance) -> None:
    upstream, visitor = instance("web.1-a"), Visitor(own_haproxy.settings.http_port)
    own_haproxy.proxy.publish(_route(upstream.target))
    visitor.send(HOST, "/held")
    until(lambda: own_haproxy.proxy.in_flight("shop") == {"web.1-a": 1})
    for number in range(haproxy_config.POOL):
        own_haproxy.proxy.publish(_route(upstream.target, app=f"app-{number}"))
    own_haproxy.proxy.publish(_route(instance("web.1-b").target))
    assert own_haproxy.proxy.in_flight("shop")["web.1-a"] == 1
    own_haproxy.proxy.release("shop", "web.1-a")
    assert own_haproxy.proxy.in_flight("shop") == {"web.1-b": 0}
    visitor.close()


def test_a_crashed_haproxy_serves_again_by_being_started(own_haproxy: Haproxy, instance: Instance) -> None:
    own_haproxy.proxy.publish(_route(instance("web.1-a").target, instance("web.2-a").target))
    own_haproxy.proxy.publish(_route(state="stopped", app="blog"))
    own_haproxy.proxy.publish(_route(instance("web.1-b").target))
    before = own_haproxy.proxy.routes()
    own_haproxy.kill()
    own_haproxy.start()
    assert own_haproxy.proxy.routes() == before
    assert [get(own_haproxy.settings.http_port, host).status for host in (HOST, "blog.example.org", "x.example.org")] == [200, 503, 421]
    until(lambda: own_haproxy.proxy.in_flight("shop") == {"web.1-b": 0})


def test_a_crashed_worker_comes_back_by_itself_or_takes_the_master_along(own_haproxy: Haproxy, instance: Instance) -> None:
    own_haproxy.proxy.publish(_route(instance("web.1-a").target))
    os.kill(own_haproxy.worker(), signal.SIGKILL)
    own_haproxy.process.wait(10)
    own_haproxy.start()
    assert get(own_haproxy.settings.http_port, HOST).text == "web.1-a"


def test_after_a_boot_known_hosts_are_starting_and_no_old_address_is_asked(own_haproxy: Haproxy, instance: Instance) -> None:
    upstream = instance("web.1-a")
    own_haproxy.proxy.publish(_route(upstream.target))
    own_haproxy.proxy.publish(_route(state="stopped", app="blog"))
    own_haproxy.kill()
    haproxy_config.prepare(own_haproxy.settings)
    own_haproxy.start()
    port = own_haproxy.settings.http_port
    codes = [get(port, host, Accept="application/json").json()["code"] for host in (HOST, "blog.example.org", "x.example.org")]
    assert codes == ["H20", "H14", "no_app"]
    assert upstream.received == []


def test_what_a_power_cut_left_of_the_files_does_not_stop_haproxy(own_haproxy: Haproxy) -> None:
    own_haproxy.proxy.publish(_route(state="stopped"))
    own_haproxy.kill()
    for path in own_haproxy.settings.proxy.iterdir():
        if path.is_file():
            path.write_bytes(b"\0\xff half a line")
    haproxy_config.prepare(own_haproxy.settings)
    own_haproxy.start()
    assert get(own_haproxy.settings.http_port, HOST).status == 421


def test_a_restarted_engine_changes_nothing_under_load(own_haproxy: Haproxy, instance: Instance) -> None:
    routes = [_route(instance("web.1-a").target), _route(state="no-web", app="blog")]
    own_haproxy.proxy.start(routes)
    with load_on(own_haproxy.settings.http_port, HOST) as load:
        worker, disk = own_haproxy.worker(), _disk(own_haproxy)
        for _ in range(5):
            before = load.count
            HaproxyProxy(own_haproxy.settings).start(routes)
            until(lambda before=before: load.count > before + 100)
    assert load.lost == []
    assert own_haproxy.worker() == worker
    assert _disk(own_haproxy) == disk


def test_a_restarted_engine_cuts_no_request_that_was_draining(own_haproxy: Haproxy, instance: Instance) -> None:
    old, visitor = instance("web.1-a"), Visitor(own_haproxy.settings.http_port)
    own_haproxy.proxy.publish(_route(old.target))
    visitor.send(HOST, "/held")
    until(lambda: own_haproxy.proxy.in_flight("shop") == {"web.1-a": 1})
    new = _route(instance("web.1-b").target)
    own_haproxy.proxy.publish(new)
    engine = HaproxyProxy(own_haproxy.settings)
    engine.start([new])
    assert engine.in_flight("shop") == {"web.1-a": 1, "web.1-b": 0}
    old.gate.set()
    assert visitor.read().text == "web.1-a"
    visitor.close()


def test_another_configuration_is_reloaded_without_loss(own_haproxy: Haproxy, instance: Instance) -> None:
    route, worker = _route(instance("web.1-a").target), own_haproxy.worker()
    own_haproxy.proxy.start([route])
    with load_on(own_haproxy.settings.http_port, HOST, 4) as load:
        ensure_fallback_certificate(own_haproxy.settings.proxy / "certificates", "example.org")
        HaproxyProxy(own_haproxy.settings).start([route])
        before = load.count
        until(lambda: load.count > before + 100)
    assert load.lost == []
    until(lambda: own_haproxy.worker() != worker)
    assert say(own_haproxy.settings.https_port, b"GET / HTTP/1.1\r\n\r\n") == b""


def _disk(haproxy: Haproxy) -> dict[str, tuple[int, str]]:
    files = [path for path in haproxy.settings.proxy.iterdir() if path.is_file()]
    return {path.name: (path.stat().st_ino, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}
