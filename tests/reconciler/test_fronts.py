"""The front of an app follows its wish at once, whatever its instances do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, machine
from wherry import clock
from wherry.errors import Unavailable
from wherry.routing.memory_proxy import MemoryProxy
from wherry.routing.proxy import Route
from wherry.running.engine import Observed
from wherry.running.memory_engine import MemoryEngine
from wherry.services import apps, domains, fronts, operations
from wherry.store import domains as rows
from wherry.store import events


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path) as made:
        yield made


def test_maintenance_and_domains_do_not_wait_for_a_deploy_and_outlive_it(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        here.push("shop", "a", image="good", web="run")
        deploy = here.begin("shop", "b", image="deaf", web="run")
        here.until(lambda: len(here.engine.observe("shop")) == 2)
        assert fronts.set_maintenance(here.services, ADMIN, "shop", True).live
        assert domains.change(here.services, ADMIN, "shop", ["shop.example.org"], []).live
        assert len(here.engine.observe("shop")) == 2, "the deploy was still booting"
        operations.cancel(here.services, ADMIN, deploy.id)
        assert here.wait(deploy).state == "cancelled"
        here.until(lambda: len(here.engine.observe("shop")) == 1)
        route = here.proxy.routes()["shop"]
        assert (route.door.maintenance, route.hosts) == ("plain", ("shop.example.org", "shop.localhost"))
        assert here.targets("shop") == ["web.1"]


def test_a_successful_deploy_keeps_what_changed_while_it_booted(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    domains.change(here.services, ADMIN, "shop", ["shop.example.org"], [])
    here.push("shop", "b", image="good", web="run")
    assert here.proxy.routes()["shop"].hosts == ("shop.example.org", "shop.localhost")


class Fragile(MemoryEngine):
    """An engine that can fall silent, as a hung Docker does."""

    silent = False

    def observe(self, app: str | None = None) -> list[Observed]:
        if self.silent:
            raise Unavailable("the Docker engine does not answer", code="engine_down")
        return super().observe(app)


def test_maintenance_works_while_docker_does_not_answer(tmp_path: Path) -> None:
    engine = Fragile()
    with machine(tmp_path, engine=engine) as here:
        here.push("shop", "a", image="good", web="run")
        engine.silent = True
        assert fronts.set_maintenance(here.services, ADMIN, "shop", True).live
        assert here.proxy.visit("shop.localhost") == (503, "maintenance")


def test_a_front_is_whole_again_after_the_proxy_and_the_engine_were_gone(tmp_path: Path) -> None:
    with machine(tmp_path) as first:
        first.push("shop", "a", image="good", web="run")
        fronts.set_maintenance(first.services, ADMIN, "shop", True, "<p>later")
        before = first.proxy.routes()["shop"]
    with machine(tmp_path, engine=first.engine, proxy=MemoryProxy()) as second:
        after = second.proxy.routes()["shop"]
        assert (after.hosts, after.door) == (before.hosts, before.door)
        assert second.proxy.pages[after.door.maintenance] == "<p>later"


def test_a_default_host_yields_to_another_app_s_own_domain_when_the_platform_moves(tmp_path: Path) -> None:
    with machine(tmp_path) as first:
        apps.create(first.services, ADMIN, "shop")
        apps.create(first.services, ADMIN, "blog")
        domains.change(first.services, ADMIN, "blog", ["shop.example.org"], [])
    with machine(tmp_path, WHERRY_DOMAIN="example.org") as second:
        second.until(lambda: set(second.proxy.routes()) == {"shop", "blog"})
        assert second.proxy.routes()["blog"].hosts == ("blog.example.org", "shop.example.org")
        assert second.proxy.routes()["shop"].hosts == ()
        with second.outside.database.read() as connection:
            last = next(event for event in events.since(connection, 0) if event.type == "domain.removed")
        assert (last.app, last.data["domain"], last.at < clock.now()) == ("shop", "shop.example.org", True)


class Slow(MemoryProxy):
    """A proxy that takes its time with the first route of an app."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go, self.looks = threading.Event(), threading.Event(), 0

    def publish(self, route: Route) -> None:
        self.asked.set()
        assert self.go.wait(60)
        super().publish(route)

    def routes(self) -> dict[str, Route]:
        self.looks += 1
        return super().routes()


def test_a_domain_that_comes_while_a_new_app_gets_its_route_does_not_wait_for_the_next_tick(tmp_path: Path) -> None:
    slow = Slow()
    with machine(tmp_path, proxy=slow) as here:
        here.loop.tick = 3600.0
        apps.create(here.services, ADMIN, "shop")
        assert slow.asked.wait(60)
        with here.outside.database.write() as connection:
            rows.add(connection, apps.get(here.services, ADMIN, "shop"), "shop.example.org", "alice", clock.now())
        for _ in range(3):  # the first look may have begun before the domain was there
            before = slow.looks
            here.services.wake()
            here.until(lambda before=before: slow.looks > before)
        slow.go.set()
        here.until(lambda: (route := slow.routes().get("shop")) and route.hosts == ("shop.example.org", "shop.localhost"))
