"""Something goes wrong at every named stage of a push, on a real platform with visitors; then every invariant is looked up.

A kill ends the process that is at the stage: the hook at `receive`, `lock`, `archive`, `queue` and `unlock`, else the engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from experiments.lab import Lab
from failpoint_support import Failpoints, armed
from invariants import free_again, hold, versioned
from scenario_support import Repository, Site
from waiting import until
from wherry.failpoint import STAGES

SECRET = "canary-7f3a91"


def experiment(lab: Lab, action: str) -> str:
    """Every stage, hit by `action`."""
    with lab.app("points") as shop, armed(lab.site, action) as points:
        strikes = strike_all(lab.site, shop, points, STAGES, 2, lab.say)
    lost, slowest = sum(strike.lost for strike in strikes), max(strike.wait for strike in strikes)
    assert lost == 0, f"{lost} requests lost"
    return f"{len(strikes)} of {len(STAGES)} stages survived, {lost} requests lost, the turn free after {slowest:.1f} s at most"


@dataclass
class Strike:
    """How a push went at whose `stage` something was wrong: what git said, and how long the next change waited."""

    stage: str
    status: int
    text: str
    lost: int
    wait: float


def strike(site: Site, shop: Repository, points: Failpoints, stage: str, version: int) -> Strike:
    """Pushes `version` and has it hit at `stage`. Raises AssertionError when an invariant does not hold afterwards."""
    points.set(stage)
    shop.commit(versioned(shop.app, version))
    with site.visitors(shop.app, connections=10) as count:
        done = shop.push()
        until(lambda: stage in points.struck(), what=f"the stage {stage}")
        wait = free_again(lambda: site.wherry("config:set", shop.app, f"SECRET={SECRET}-{version}").status == 0)
        hold(site, {shop.app: {str(version)} if done.status == 0 else {str(version - 1), str(version)}}, SECRET)
    heard_the_truth(site, shop, stage, done.status, version)
    return Strike(stage, done.status, done.text, int(count["lost"]), wait)


def heard_the_truth(site: Site, shop: Repository, stage: str, status: int, version: int) -> None:
    """I6: who heard "rejected" and pushes again gets there, and nobody is told of a success that is none."""
    if status != 0:
        again = shop.push()
        assert again.status == 0, f"I6 {stage}: a second push says\n{again.text}"
    hold(site, {shop.app: {str(version)}}, SECRET)


def strike_all(
    site: Site, shop: Repository, points: Failpoints, stages: Iterable[str], first: int, say: Callable[[str], None] = print
) -> list[Strike]:
    """Each stage in turn; the app serves version `first - 1` before."""
    strikes = []
    for version, stage in enumerate(stages, first):
        began = time.monotonic()
        strikes.append(strike(site, shop, points, stage, version))
        seen = strikes[-1]
        told = "accepted" if seen.status == 0 else "rejected, then accepted"
        say(f"  {stage:<20} push {told}; {seen.lost} requests lost; turn free after {seen.wait:.1f} s; {time.monotonic() - began:.0f} s")
        for line in refusals(seen.text):
            say(f"  {'':<20} {line}")
    return strikes


def refusals(text: str) -> list[str]:
    """What a push was told that went wrong, in the platform's words."""
    return [line.removeprefix("remote:").strip() for line in text.splitlines() if line.startswith("remote:  ! ")]
