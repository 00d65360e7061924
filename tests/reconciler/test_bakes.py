"""A release that turns out bad after its switch goes back by itself, once, and says why: over a proxy in memory."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, machine
from wherry.model.bake import Bake
from wherry.model.operation import Operation
from wherry.routing.memory_proxy import MemoryProxy
from wherry.running.memory_engine import MemoryEngine
from wherry.services import config_vars, operations, releases
from wherry.store import bakes

HOST = "shop.localhost"


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def here(tmp_path: Path, lines: list[str]) -> Iterator[Machine]:
    with machine(tmp_path, lines=lines, WHERRY_BAKE="60") as made:
        made.loop.bakes.every = 0.2
        yield made


def window(here: Machine, number: int) -> Bake:
    with here.outside.database.read() as connection:
        return bakes.of_app(connection, 1)[number]


def visits(here: Machine, good: int, bad: int) -> None:
    with here.proxy.lock:  # a look in the middle would judge the release by a part of them
        for status in [200] * good + [500] * bad:
            here.proxy.visit(HOST, status)


def rollbacks(here: Machine) -> list[Operation]:
    return [one for one in operations.recent(here.services, ADMIN) if one.kind == "rollback"]


def descriptions(here: Machine) -> list[tuple[str, str, str]]:
    return [(one.version, one.actor, one.description) for one in releases.of_app(here.services, ADMIN, "shop")]


def test_a_release_that_answers_5xx_goes_back_and_says_why(here: Machine, lines: list[str]) -> None:
    here.push("shop", "a", image="good", web="run")
    visits(here, 30, 0)
    pushed = here.push("shop", "b", image="good2", web="run")
    assert here.log(pushed)[-1] == "       watched for 60 s: wherry releases shop"
    visits(here, 20, 20)
    here.until(lambda: [one.state for one in rollbacks(here)] == ["succeeded"])
    version, actor, description = descriptions(here)[0]
    assert (version, actor) == ("v3", "wherry")
    assert description.startswith("Rollback to v1: 50 % of 40 answers were 5xx within ")
    assert [seen.image for seen in here.engine.observe("shop") if seen.release == 3] == ["good"]
    assert window(here, 2).state == "bad" and window(here, 2).usual == 0.0
    here.until(lambda: any(line.startswith("shop v2: 50 % of 40 answers") and line.endswith("going back to v1") for line in lines))


def test_a_rollback_of_the_platforms_own_is_the_last_word(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.push("shop", "b", image="good2", web="run")
    visits(here, 0, 20)
    here.until(lambda: [one.state for one in rollbacks(here)] == ["succeeded"])
    visits(here, 0, 50)
    here.until(lambda: here.loop.bakes.next_due() is None)
    assert len(rollbacks(here)) == 1 and len(descriptions(here)) == 3
    undone = here.push("shop", "c", image="good2", web="run")
    assert undone.state == "succeeded" and window(here, 4).back_to == 3


def test_a_first_release_has_nothing_to_go_back_to(here: Machine, lines: list[str]) -> None:
    pushed = here.push("shop", "a", image="good", web="run")
    assert "watched" not in here.log(pushed)[-1]
    visits(here, 0, 20)
    here.until(lambda: window(here, 1).state == "bad")
    assert rollbacks(here) == []
    here.until(lambda: any(line.endswith("there is no release to go back to, so it stays") for line in lines))


def test_instances_that_crash_again_and_again_bring_the_release_before_back(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run", worker="run")
    here.push("shop", "b", image="good2", web="run", worker="run")

    def kill() -> bool:
        for seen in here.engine.observe("shop"):
            if seen.image == "good2" and seen.running and here.outside.memory.is_ready(seen.id):
                with suppress(KeyError):  # it left
                    here.engine.die(seen.id, exit_code=1)
                here.loop.wake()
        return window(here, 2).state == "bad"

    here.until(kill)
    assert window(here, 2).reason.startswith("instances crashed ")
    here.until(lambda: [one.state for one in rollbacks(here)] == ["succeeded"])


def test_the_next_change_of_a_person_ends_the_watch(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.push("shop", "b", image="good2", web="run")
    here.wait(config_vars.change(here.services, ADMIN, "shop", {"A": "1"}))
    assert (window(here, 2).state, window(here, 3).state, window(here, 3).back_to) == ("ended", "watching", 2)


def test_a_person_who_goes_back_is_not_led_to_what_they_left(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.push("shop", "b", image="good2", web="run")
    here.wait(releases.rollback(here.services, ADMIN, "shop"))
    assert window(here, 3).back_to is None


def test_the_way_back_from_a_rollback_is_not_the_bad_release(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(config_vars.change(here.services, ADMIN, "shop", {"A": "1"}))
    here.push("shop", "b", image="good2", web="run")
    visits(here, 0, 20)
    here.until(lambda: [one.state for one in rollbacks(here)] == ["succeeded"])
    assert releases.rollback(here.services, ADMIN, "shop").payload["to"] == 1


def test_another_engine_goes_on_with_the_watch(tmp_path: Path) -> None:
    engine, proxy = MemoryEngine(), MemoryProxy()
    with machine(tmp_path, engine, proxy, WHERRY_BAKE="60") as here:
        here.loop.bakes.every = 0.2
        here.push("shop", "a", image="good", web="run")
        here.push("shop", "b", image="good2", web="run")
        visits(here, 5, 4)
        here.until(lambda: window(here, 2).answers == 9)
    with machine(tmp_path, engine, proxy, WHERRY_BAKE="60") as here:
        here.loop.bakes.every = 0.2
        visits(here, 0, 10)
        here.until(lambda: [one.state for one in rollbacks(here)] == ["succeeded"])
        assert (window(here, 2).answers, window(here, 2).failed) == (19, 14)


def test_a_good_release_is_let_go_when_its_time_is_over(tmp_path: Path) -> None:
    with machine(tmp_path, WHERRY_BAKE="2") as here:
        here.push("shop", "a", image="good", web="run")
        visits(here, 40, 3)
        here.until(lambda: window(here, 1).state == "passed")
        assert window(here, 1).answers == 43


def test_a_clock_that_is_set_back_by_a_year_does_not_make_the_watch_last_for_one(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.push("shop", "b", image="good2", web="run")
    later = ("2999-01-01T00:00:00.000000Z", "2999-01-01T00:01:00.000000Z")

    def passed_from_the_future() -> bool:
        with here.outside.database.write() as connection:
            connection.execute("UPDATE bakes SET started_at = ?, ends_at = ? WHERE state = 'watching'", later)
        return window(here, 2).state == "passed"

    here.until(passed_from_the_future)
