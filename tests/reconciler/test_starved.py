"""A worker inside of a living instance that is killed for memory is told; over instances in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_support import Machine, machine
from wherry.model.event import Wanted
from wherry.reconciler.starved import Starved
from wherry.running.engine import Observed
from wherry.store import events


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def here(tmp_path: Path, lines: list[str]) -> Iterator[Machine]:
    with machine(tmp_path, lines=lines) as made:
        made.push("shop", "a", image="good", web="run")
        yield made


def web(here: Machine) -> Observed:
    return next(seen for seen in here.engine.observe("shop") if seen.name == "web.1")


def of_r14(lines: list[str]) -> list[str]:
    return [line for line in lines if "R14" in line]


def happened(here: Machine) -> list[object]:
    with here.outside.database.read() as connection:
        return [event.data for event in events.since(connection, 0, Wanted(app="shop", type="instance.starved"))]


def test_the_engine_hears_of_it_and_says_so_in_the_log_and_as_an_event(here: Machine, lines: list[str]) -> None:
    here.engine.starve(web(here).id)
    here.until(lambda: here.loop.wake() or happened(here))  # it looks again by itself too, five seconds later
    (line,) = of_r14(lines)
    assert line.startswith("shop web.1: R14 a process in it was killed, out of memory (")
    assert "the instance goes on. Give it more: wherry ps:type shop web=" in line
    assert happened(here) == [{"instance": "web.1", "killed": 1}]


def test_what_is_killed_again_and_again_is_counted_and_told_once_a_minute(here: Machine, lines: list[str]) -> None:
    starved, seen = Starved(here.outside, settled=0.0), web(here)
    for _ in range(3):
        starved.heard(seen.id)
    starved.look([seen])
    for _ in range(50):
        starved.heard(seen.id)
        starved.look([seen])
    (line,) = of_r14(lines)
    assert "R14 3 processes in it were killed" in line


def test_an_instance_that_died_of_it_is_told_by_its_crash_alone(here: Machine, lines: list[str]) -> None:
    starved, seen = Starved(here.outside, settled=0.0), web(here)
    starved.heard(seen.id)
    starved.look([])
    starved.look([seen])
    assert not of_r14(lines)
