"""Failpoints on a real platform: a push comes by every stage, and a kill at the worst ones does no harm. All of them are in
scripts/reliability."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from experiments import kill_points
from failpoint_support import armed
from invariants import hold, versioned
from scenario_support import Repository, Site
from waiting import until
from wherry.failpoint import STAGES

pytestmark = [pytest.mark.engine, pytest.mark.scenario]

WORST = ("unlock", "create", "commit")
"""The hook knows what git does not; a container nobody started; visitors see what the database does not."""


def test_a_kill_at_the_worst_ones_does_no_harm(here: Site, app: Callable[[str], Repository]) -> None:
    shop = app("points")
    shop.commit(versioned("points", 1))
    with armed(here, "kill") as points:
        assert shop.push().status == 0
        hold(here, {"points": {"1"}})
        strikes = kill_points.strike_all(here, shop, points, WORST, 2)
    assert [strike.lost for strike in strikes] == [0, 0, 0]


def test_a_deploy_comes_by_every_stage(here: Site, app: Callable[[str], Repository]) -> None:
    shop = app("stages")
    shop.commit(versioned("stages", 1))
    with armed(here, "note") as points:
        assert shop.push().status == 0
        points.set(*STAGES)
        shop.commit(versioned("stages", 2))
        assert shop.push().status == 0
        until(lambda: points.struck() == set(STAGES), what="every stage")
