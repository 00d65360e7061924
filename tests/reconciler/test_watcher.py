"""Checks of running instances: out of the route and back, replaced, told where people look. Over instances in memory."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, machine
from wherry.model.event import Wanted
from wherry.routing.memory_proxy import MemoryProxy
from wherry.running.engine import Observed
from wherry.running.memory_engine import MemoryEngine
from wherry.services import formation
from wherry.store import events, instances


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def here(tmp_path: Path, lines: list[str]) -> Iterator[Machine]:
    with machine(tmp_path, lines=lines) as made:
        yield made


def instance(here: Machine, name: str) -> Observed:
    """The container of this name that was started last."""
    return max((seen for seen in here.engine.observe("shop") if seen.name == name), key=lambda seen: seen.created_at)


def told(here: Machine) -> list[tuple[str, str]]:
    with here.outside.database.read() as connection:
        return [
            (one.type, one.data["instance"]) for one in events.since(connection, 0, Wanted(app="shop")) if one.type.startswith("instance.")
        ]


def seen_running(here: Machine) -> list[tuple[int, str]]:
    with here.outside.database.read() as connection:
        return [(row.restarts, row.container) for row in instances.of_app(connection, "shop") if row.state == "running"]


def details(here: Machine) -> dict[str, str]:
    with here.outside.database.read() as connection:
        return {row.name: row.detail for row in instances.of_app(connection, "shop")}


def test_readiness_takes_an_instance_out_of_the_route_and_puts_it_back(here: Machine, lines: list[str]) -> None:
    here.push("shop", "a", image="good", web="run", readiness="/ready")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2}))
    here.engine.answer(instance(here, "web.2"), 503, "/ready")
    here.until(lambda: here.targets("shop") == ["web.1"])
    here.until(lambda: details(here) == {"web.1": "", "web.2": "not ready: GET /ready answered 503"})
    here.engine.answer(instance(here, "web.2"), 200, "/ready")
    here.until(lambda: here.targets("shop") == ["web.1", "web.2"])
    here.until(lambda: details(here)["web.2"] == "")
    assert told(here) == [("instance.unready", "web.2"), ("instance.ready", "web.2")]
    assert "shop web.2: State changed from up to not ready: GET /ready answered 503" in lines
    assert "shop web.2: State changed from not ready to up: GET /ready 200" in lines
    assert len(here.engine.started) == 2


def test_an_engine_that_starts_again_leaves_out_what_was_out(tmp_path: Path) -> None:
    engine, proxy = MemoryEngine(), MemoryProxy()
    with machine(tmp_path, engine, proxy) as here:
        here.push("shop", "a", image="good", web="run", readiness="/ready")
        here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2}))
        engine.answer(instance(here, "web.2"), 503, "/ready")
        here.until(lambda: here.targets("shop") == ["web.1"])
        published = len(proxy.published)
    with machine(tmp_path, engine, proxy) as here:
        assert here.targets("shop") == ["web.1"] and len(proxy.published) == published
        engine.answer(instance(here, "web.2"), 200, "/ready")
        here.until(lambda: here.targets("shop") == ["web.1", "web.2"])
        assert engine.started == ["shop/web.1", "shop/web.2"]


def test_an_instance_whose_liveness_fails_is_replaced_and_counts_as_crashed(here: Machine, lines: list[str]) -> None:
    here.push("shop", "a", image="good", web="run", liveness="/live")
    sick = instance(here, "web.1")
    here.engine.answer(sick, 500, "/live")
    here.until(lambda: [seen.id for seen in here.engine.observe("shop")] not in ([], [sick.id]) and len(here.engine.observe("shop")) == 1)
    assert here.engine.started == ["shop/web.1", "shop/web.1"]
    assert told(here) == [("instance.unhealthy", "web.1")]
    assert "shop web.1: State changed from up to unhealthy: GET /live answered 500; it is replaced now" in lines
    here.until(lambda: seen_running(here) == [(1, instance(here, "web.1").id)])


def test_a_new_instance_must_pass_its_readiness_before_it_gets_visitors(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.engine.answer(replace(instance(here, "web.1"), address="10.208.0.3"), 503, "/ready")
    operation = here.push("shop", "b", image="good2", web="run", readiness="/ready")
    assert operation.error is not None and operation.error["code"] == "R10"
    assert "GET /ready answered 503" in operation.error["message"]
    assert here.targets("shop") == ["web.1"]


def test_a_check_that_is_gone_holds_nothing_against_its_instance(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run", readiness="/ready")
    here.wait(formation.scale(here.services, ADMIN, "shop", {"web": 2}))
    here.engine.answer(instance(here, "web.2"), 503, "/ready")
    here.until(lambda: here.targets("shop") == ["web.1"])
    here.push("shop", "b", image="good", web="run")
    here.until(lambda: here.targets("shop") == ["web.1", "web.2"])
