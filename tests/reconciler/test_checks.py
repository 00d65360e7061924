"""Checks are asked, set, switched off and on by a person: over instances in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_support import ADMIN, Machine, machine
from wherry.errors import InvalidInput, NothingToDo
from wherry.services import checks, releases


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path) as made:
        yield made


def test_a_change_is_a_release_and_starts_nothing(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run", readiness="/ready")
    here.wait(checks.set_numbers(here.services, ADMIN, "shop", {"timeout": 10, "boot": 90}))
    assert next(one.description for one in releases.of_app(here.services, ADMIN, "shop")) == "Set checks: boot=90 timeout=10"
    found = checks.of_app(here.services, ADMIN, "shop")
    assert (found.asked["web"][0].timeout, found.numbers["boot"]) == (10, 90)
    assert here.engine.started == ["shop/web.1"]
    with pytest.raises(NothingToDo):
        checks.set_numbers(here.services, ADMIN, "shop", {"timeout": 10})


def test_checks_run_say_what_each_saw_and_fail_when_one_does(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run", readiness="/ready", liveness="/live")
    asked = here.wait(checks.run(here.services, ADMIN, "shop"))
    assert asked.state == "succeeded" and here.log(asked)[-1] == "2 checks pass"
    (one,) = here.engine.observe("shop")
    here.engine.answer(one, 503, "/ready")
    failed = here.wait(checks.run(here.services, ADMIN, "shop", "web.1"))
    assert failed.error is not None and failed.error["code"] == "checks_failed"
    assert here.log(failed)[0].startswith("web.1  readiness  fails  GET /ready answered 503, ")


def test_skipped_startup_checks_let_a_deploy_through(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run")
    here.wait(checks.skip(here.services, ADMIN, "shop", ["web"]))
    here.engine.answering["10.208.0.3", "/ready"] = (503, "")
    assert here.push("shop", "b", image="good2", web="run", readiness="/ready").state == "succeeded"
    with pytest.raises(InvalidInput, match='no process "wbe"'):
        checks.skip(here.services, ADMIN, "shop", ["wbe"])


def test_what_is_disabled_stops_before_its_successor_starts(here: Machine) -> None:
    here.push("shop", "a", image="good", web="run", liveness="/live")
    here.wait(checks.disable(here.services, ADMIN, "shop", []))
    (before,) = here.engine.observe("shop")
    here.engine.answer(before, 500, "/live")
    pushed = here.push("shop", "b", image="good2", web="run")
    assert pushed.state == "succeeded" and any("stopped first" in line for line in here.log(pushed))
    assert checks.of_app(here.services, ADMIN, "shop").asked == {"web": ()}
    here.wait(checks.enable(here.services, ADMIN, "shop", []))
    assert checks.of_app(here.services, ADMIN, "shop").settings == {}
