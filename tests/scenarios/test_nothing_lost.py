"""No request is lost, by visitors who never retry, while the world changes under them."""

from collections.abc import Callable
from typing import Any

import pytest

from scenario_support import Repository, Site

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

Make = Callable[[str], Repository]


def check(count: dict[str, Any], at_least: int) -> None:
    assert count["lost"] == 0, count
    assert count["backwards"] == 0, count
    assert count["answered"] >= at_least, count


def test_deploys_and_scaling_lose_nothing_and_versions_never_go_backwards(here: Site, app: Make) -> None:
    busy = app("busy")
    busy.release(1)
    with here.visitors("busy") as count:
        for version in range(2, 6):
            assert busy.release(version).status == 0
        for quantity in (3, 1, 2):
            assert here.wherry("ps:scale", "busy", f"web={quantity}").status == 0
    check(count, 1000)
    assert count["versions"].keys() >= {"2", "3", "4", "5"}


def test_restart_config_and_rollback_lose_nothing(here: Site, app: Make) -> None:
    calm = app("calm")
    calm.release(1)
    with here.visitors("calm") as count:
        assert here.wherry("ps:restart", "calm").status == 0
        assert here.wherry("config:set", "calm", "A=1").status == 0
        assert here.wherry("rollback", "calm").status == 0
    check(count, 500)


def test_a_slow_request_ends_well_on_the_old_release(here: Site, app: Make) -> None:
    slow = app("slow")
    slow.release(1)
    with here.visitors("slow", connections=5, path="/slow?s=4") as count:
        assert slow.release(2).status == 0
    check(count, 5)
    assert count["versions"]["1"] >= 5
