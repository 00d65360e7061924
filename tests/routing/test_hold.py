"""Requests wait at a real HAProxy while their app is stopped and started: none is lost, none waits for ever, few cost much."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from routing_support import Haproxy, Upstream, Visitor, get, load_on
from waiting import until
from wherry.routing.proxy import Door, Route, Target

HOST = "shop.example.org"
Instance = Callable[[str], Upstream]
HELD = Route("shop", (HOST,), state="held")
CAP = 250
"""Requests of one app that are held at a time: `MOST_OF_APP` of hold.lua."""


def route(*targets: Target) -> Route:
    return Route("shop", (HOST,), targets)


@contextmanager
def many(port: int, count: int) -> Iterator[list[Visitor]]:
    """So many visitors with a request under way each."""
    with ExitStack() as stack:
        visitors = [Visitor(port) for _ in range(count)]
        for visitor in visitors:
            stack.callback(visitor.close)
            visitor.send(HOST)
        yield visitors


def test_an_app_that_is_stopped_before_its_successor_starts_loses_no_request(patient_haproxy: Haproxy, instance: Instance) -> None:
    haproxy, present = patient_haproxy, instance("web.1-v0")
    haproxy.proxy.publish(route(present.target))
    with load_on(haproxy.settings.http_port, HOST, visitors=50) as load:
        for version in range(1, 6):
            before, old = load.count, present
            haproxy.proxy.publish(HELD)
            until(lambda old=old: haproxy.proxy.in_flight("shop")[old.name] == 0)
            old.stop()
            haproxy.proxy.release("shop", old.name)
            time.sleep(0.2)
            present = instance(f"web.1-v{version}")
            haproxy.proxy.publish(route(present.target))
            until(lambda before=before: load.count > before + 200)
    assert load.lost == []
    # On a busy machine HAProxy may have to try again what has just ended, a second later each time.
    assert 0.2 < load.slowest < 25
    assert [heard for heard in load.answers if heard != sorted(heard)] == []


def test_the_body_of_a_request_arrives_whole_after_it_waited(patient_haproxy: Haproxy, instance: Instance) -> None:
    haproxy = patient_haproxy
    haproxy.proxy.publish(HELD)
    visitor = Visitor(haproxy.settings.http_port)
    size = 2 * 1024 * 1024
    visitor.socket.sendall(f"POST /upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {size}\r\n\r\n".encode())
    visitor.socket.setblocking(False)
    sent = visitor.socket.send(b"x" * size)
    time.sleep(0.3)
    haproxy.proxy.publish(route(instance("web.1-a").target))
    visitor.socket.settimeout(30)
    visitor.socket.sendall(b"x" * (size - sent))
    assert visitor.read().text == str(size)
    assert visitor.get(HOST).text == "web.1-a"
    visitor.close()


def test_more_requests_than_may_wait_are_told_to_come_back_and_other_apps_notice_nothing(
    patient_haproxy: Haproxy, instance: Instance
) -> None:
    haproxy, port = patient_haproxy, patient_haproxy.settings.http_port
    haproxy.proxy.publish(Route("blog", ("blog.example.org",), (instance("web.1-b").target,)))
    haproxy.proxy.publish(HELD)
    with many(port, CAP) as visitors:
        until(lambda: haproxy.connections() >= CAP)
        time.sleep(0.3)
        refused = get(port, HOST)
        assert (refused.status, refused.headers["retry-after"]) == (503, "2")
        assert get(port, "blog.example.org").text == "web.1-b"
        haproxy.proxy.publish(route(instance("web.1-a").target))
        assert {visitor.read().text for visitor in visitors} == {"web.1-a"}


def test_visitors_who_leave_make_room_for_others(haproxy: Haproxy, instance: Instance) -> None:
    port = haproxy.settings.http_port
    haproxy.proxy.publish(HELD)
    with many(port, CAP):
        until(lambda: haproxy.connections() >= CAP)
    target = instance("web.1-a").target

    def all_are_served() -> bool:
        haproxy.proxy.publish(HELD)
        with many(port, CAP) as visitors:
            haproxy.proxy.publish(route(target))
            return {visitor.read().status for visitor in visitors} == {200}

    until(all_are_served)


def test_a_request_that_waited_too_long_reads_why_and_when_to_come_back(haproxy: Haproxy) -> None:
    haproxy.proxy.publish(HELD)
    answer = get(haproxy.settings.http_port, HOST, Accept="application/json")
    assert (answer.status, answer.headers["retry-after"], answer.json()["code"]) == (503, "2", "H20")


def test_who_may_not_in_and_who_meets_maintenance_does_not_wait(haproxy: Haproxy) -> None:
    port = haproxy.settings.http_port
    for door, status in ((Door(allow=("192.0.2.1/32",)), 403), (Door(maintenance="plain"), 503)):
        haproxy.proxy.publish(Route("shop", (HOST,), state="held", door=door))
        answer = get(port, HOST)
        assert (answer.status, "H20" in answer.text) == (status, False), "H20 is what one gets who has waited"
