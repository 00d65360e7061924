"""What every proxy promises, asked of the one in memory and of a real HAProxy alike."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from routing_support import Haproxy, Upstream, Visitor, get, settings_in, start_upstream
from waiting import until
from wherry.errors import Unavailable
from wherry.routing.haproxy_proxy import HaproxyProxy
from wherry.routing.memory_proxy import MemoryProxy
from wherry.routing.proxy import Door, Proxy, Route, Target


@dataclass
class World:
    """A proxy with visitors in front and instances behind it."""

    proxy: Proxy
    port: int = 0
    upstreams: dict[str, Upstream] = field(default_factory=dict)

    def target(self, name: str) -> Target:
        if isinstance(self.proxy, MemoryProxy):
            return Target(name, "10.0.0.1", 5000)
        if name not in self.upstreams:
            self.upstreams[name] = start_upstream(name)
        return self.upstreams[name].target

    def route(self, app: str, *names: str, hosts: tuple[str, ...] = (), state: str = "serving") -> Route:
        return Route(app, hosts or (f"{app}.example.org",), tuple(self.target(name) for name in names), state)

    def visit(self, host: str, path: str = "/") -> tuple[int, str]:
        if isinstance(self.proxy, MemoryProxy):
            return self.proxy.visit(host, 503 if path == "/503" else 200)
        answer = get(self.port, host, path)
        return answer.status, answer.text if answer.status == 200 else ""

    def status(self, host: str) -> int:
        return self.visit(host)[0]

    def answering(self, host: str) -> set[str]:
        return {self.visit(host)[1] for _ in range(12)}

    def hold(self, host: str) -> AbstractContextManager[str]:
        return self.proxy.hold(host) if isinstance(self.proxy, MemoryProxy) else self._held(host)

    @contextmanager
    def _held(self, host: str) -> Iterator[str]:
        visitor = Visitor(self.port)
        before = {name: len(upstream.received) for name, upstream in self.upstreams.items()}
        visitor.send(host, "/held")
        until(lambda: any(len(upstream.received) > before[name] for name, upstream in self.upstreams.items()))
        yield next(name for name, upstream in self.upstreams.items() if len(upstream.received) > before[name])
        for upstream in self.upstreams.values():
            upstream.gate.set()
        visitor.close()


@pytest.fixture(params=["memory", "haproxy"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        yield World(MemoryProxy())
        return
    haproxy: Haproxy = request.getfixturevalue("haproxy")
    world = World(haproxy.proxy, haproxy.settings.http_port)
    yield world
    for upstream in world.upstreams.values():
        upstream.stop()


def test_a_published_app_answers_at_its_host(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    assert world.visit("shop.example.org") == (200, "web.1-a")


def test_an_unknown_host_is_told_so(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    assert world.status("other.example.org") == 421


@pytest.mark.parametrize("state", ["serving", "starting", "no-web", "stopped", "empty"])
def test_a_known_host_without_an_instance_is_unavailable(world: World, state: str) -> None:
    world.proxy.publish(world.route("shop", state=state))
    assert world.status("shop.example.org") == 503
    assert world.proxy.routes()["shop"].state == state


@contextmanager
def visiting(world: World, host: str) -> Iterator[Future[tuple[int, str]]]:
    """A visit that is under way for the length of the block; its answer comes to the future."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(world.visit, host)


def test_a_request_to_an_app_between_two_instances_waits_for_the_next_one(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.proxy.publish(world.route("shop", state="held"))
    assert world.proxy.routes()["shop"].state == "held"
    with visiting(world, "shop.example.org") as answer:
        time.sleep(0.2)
        assert not answer.done()
        world.proxy.publish(world.route("shop", "web.1-b"))
        assert answer.result(30) == (200, "web.1-b")


def test_a_request_that_waits_is_let_go_when_the_app_is_given_up(world: World) -> None:
    world.proxy.publish(world.route("shop", state="held"))
    with visiting(world, "shop.example.org") as answer:
        time.sleep(0.1)
        world.proxy.publish(world.route("shop", state="stopped"))
        assert answer.result(30)[0] == 503


def test_a_request_waits_no_longer_than_the_limit(world: World) -> None:
    world.proxy.publish(world.route("shop", state="held"))
    began = time.monotonic()
    assert world.status("shop.example.org") == 503
    assert time.monotonic() - began > 1.9


def test_two_apps_answer_at_their_own_hosts(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.proxy.publish(world.route("blog", "web.1-b"))
    assert world.answering("shop.example.org") == {"web.1-a"}
    assert world.answering("blog.example.org") == {"web.1-b"}


def test_a_new_release_takes_over_at_once(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a", "web.2-a"))
    world.proxy.publish(world.route("shop", "web.1-b", "web.2-b"))
    assert world.answering("shop.example.org") == {"web.1-b", "web.2-b"}


def test_scaling_up_adds_an_instance_and_keeps_the_first(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.proxy.publish(world.route("shop", "web.1-a", "web.2-a"))
    assert world.answering("shop.example.org") == {"web.1-a", "web.2-a"}


def test_scaling_down_takes_an_instance_out(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a", "web.2-a"))
    world.proxy.publish(world.route("shop", "web.1-a"))
    assert world.answering("shop.example.org") == {"web.1-a"}


def test_scaling_to_nothing_and_back_serves_again(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.proxy.publish(world.route("shop", state="no-web"))
    assert world.status("shop.example.org") == 503
    world.proxy.publish(world.route("shop", "web.1-a"))
    assert world.visit("shop.example.org") == (200, "web.1-a")


def test_an_instance_that_was_taken_out_can_come_back(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a", "web.2-a"))
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.proxy.publish(world.route("shop", "web.1-a", "web.2-a"))
    assert world.answering("shop.example.org") == {"web.1-a", "web.2-a"}


def test_a_rollback_to_an_instance_that_still_drains_serves_from_it(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.proxy.publish(world.route("shop", "web.1-b"))
    world.proxy.publish(world.route("shop", "web.1-a"))
    assert world.answering("shop.example.org") == {"web.1-a"}
    world.proxy.release("shop", "web.1-b")
    assert world.answering("shop.example.org") == {"web.1-a"}


def test_a_request_under_way_is_counted_until_it_ends_even_after_its_target_left(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    with world.hold("shop.example.org") as name:
        world.proxy.publish(world.route("shop", "web.1-b"))
        assert name == "web.1-a"
        assert world.proxy.in_flight("shop") == {"web.1-a": 1, "web.1-b": 0}
    until(lambda: world.proxy.in_flight("shop")["web.1-a"] == 0)


def test_a_released_target_is_forgotten_with_what_was_under_way(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    with world.hold("shop.example.org"):
        world.proxy.publish(world.route("shop", "web.1-b"))
        world.proxy.release("shop", "web.1-a")
        assert world.proxy.in_flight("shop") == {"web.1-b": 0}


def test_a_target_in_the_route_is_not_released(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.proxy.release("shop", "web.1-a")
    assert world.visit("shop.example.org") == (200, "web.1-a")


def test_releasing_what_is_not_there_is_fine(world: World) -> None:
    world.proxy.release("shop", "web.1-z")
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.proxy.release("shop", "web.1-z")
    assert world.proxy.in_flight("shop") == {"web.1-a": 0}


def test_publishing_twice_is_publishing_once(world: World) -> None:
    route = world.route("shop", "web.2-a", "web.1-a")
    world.proxy.publish(route)
    before = world.proxy.routes()
    world.proxy.publish(route)
    assert world.proxy.routes() == before == {"shop": world.route("shop", "web.1-a", "web.2-a")}


def test_hosts_come_and_go(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a", hosts=("shop.example.org", "www.shop.example")))
    assert world.status("www.shop.example") == 200
    world.proxy.publish(world.route("shop", "web.1-a", hosts=("shop.example.org", "new.shop.example")))
    assert [world.status(host) for host in ("www.shop.example", "new.shop.example", "shop.example.org")] == [421, 200, 200]


def test_a_host_that_moves_to_another_app_stays_there(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a", hosts=("shop.example.org", "both.example.org")))
    world.proxy.publish(world.route("blog", "web.1-b", hosts=("blog.example.org", "both.example.org")))
    world.proxy.publish(world.route("shop", "web.1-a"))
    assert world.answering("both.example.org") == {"web.1-b"}
    assert world.proxy.routes()["shop"].hosts == ("shop.example.org",)


def test_a_withdrawn_app_is_unknown(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.proxy.withdraw("shop")
    assert world.status("shop.example.org") == 421
    assert world.proxy.routes() == {}
    assert world.proxy.in_flight("shop") == {}


def test_withdrawing_what_is_not_there_is_fine(world: World) -> None:
    world.proxy.withdraw("nothing")
    assert world.proxy.routes() == {}


def test_start_makes_the_given_routes_all_there_is(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.proxy.publish(world.route("blog", "web.1-b"))
    world.proxy.start([world.route("blog", "web.1-c"), world.route("wiki", state="starting")])
    assert [world.status(f"{app}.example.org") for app in ("shop", "blog", "wiki")] == [421, 200, 503]
    assert world.answering("blog.example.org") == {"web.1-c"}
    assert set(world.proxy.routes()) == {"blog", "wiki"}


def test_a_proxy_that_is_down_says_so(tmp_path: Path) -> None:
    for proxy in (MemoryProxy(down=True), HaproxyProxy(settings_in(tmp_path))):
        with pytest.raises(Unavailable) as raised:
            proxy.routes()
        assert raised.value.code == "proxy_unavailable"


def test_a_wildcard_stands_for_one_label_and_an_exact_host_of_another_app_wins(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a", hosts=("*.shop.example.org",)))
    world.proxy.publish(world.route("blog", "web.1-b", hosts=("blog.shop.example.org",)))
    hosts = ("any.shop.example.org", "blog.shop.example.org", "a.b.shop.example.org", "shop.example.org")
    assert [world.status(host) for host in hosts] == [200, 200, 421, 421]
    assert world.answering("blog.shop.example.org") == {"web.1-b"}


def test_another_front_leaves_the_targets_and_the_state_alone(world: World) -> None:
    before = world.route("shop", "web.1-a", "web.2-a")
    world.proxy.publish(before)
    world.proxy.face(Route("shop", ("new.example.org",), door=Door(maintenance="plain")))
    assert world.proxy.routes()["shop"] == replace(before, hosts=("new.example.org",), door=Door(maintenance="plain"))
    assert [world.status(host) for host in ("shop.example.org", "new.example.org")] == [421, 503]
    world.proxy.face(before)
    assert world.answering("shop.example.org") == {"web.1-a", "web.2-a"}


def test_a_front_for_an_app_that_is_not_published_is_left_alone(world: World) -> None:
    world.proxy.face(Route("shop", ("shop.example.org",)))
    assert world.proxy.routes() == {}


def test_a_withdrawn_app_leaves_no_door_behind(world: World) -> None:
    door = Door(("192.0.2.0/24",), maintenance="plain")
    world.proxy.publish(replace(world.route("shop", "web.1-a"), door=door))
    world.proxy.withdraw("shop")
    world.proxy.publish(world.route("shop", "web.1-b"))
    assert world.visit("shop.example.org") == (200, "web.1-b")


def test_answers_are_counted_by_target_and_5xx_among_them(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a", "web.2-a"))
    for path in ("/", "/", "/503", "/503"):
        world.visit("shop.example.org", path)
    counts = world.proxy.answers("shop")
    assert counts.keys() == {"web.1-a", "web.2-a"}
    assert tuple(map(sum, zip(*counts.values(), strict=True))) == (4, 2)


def test_only_those_that_take_new_requests_are_counted_and_a_new_target_begins_at_nothing(world: World) -> None:
    world.proxy.publish(world.route("shop", "web.1-a"))
    world.visit("shop.example.org")
    world.proxy.publish(world.route("shop", "web.1-b"))
    assert world.proxy.answers("shop") == {"web.1-b": (0, 0)}
    assert world.proxy.answers("nothing") == {}
