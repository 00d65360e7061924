"""The clean-up runs every second while apps are pushed and rolled back: it takes nothing that somebody needs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from experiments.lab import Lab
from failpoint_support import configured
from invariants import hold, versioned
from scenario_support import Repository, Site

APPS = ("north", "east", "south")
ROUNDS = 5
EAGER = ("WHERRY_SWEEP_EVERY=1", "WHERRY_RELEASES=2", "WHERRY_DISK_BUDGET=1", "WHERRY_BUILD_CACHE=1", "WHERRY_BAKE=0")
"""Of each app what runs and the one before stay, whatever they take; all build cache goes."""


def experiment(lab: Lab) -> str:
    began = time.monotonic()
    with configured(lab.site, *EAGER), ExitStack() as stack:
        shops = [stack.enter_context(lab.app(name)) for name in APPS]
        counts = [stack.enter_context(lab.site.visitors(name, connections=4)) for name in APPS]
        with ThreadPoolExecutor(len(APPS)) as pool:
            list(pool.map(lambda shop: rounds(lab.site, shop), shops))
        hold(lab.site, {name: {str(ROUNDS)} for name in APPS})
    lost = sum(count["lost"] for count in counts)
    assert lost == 0, [count["reasons"] for count in counts]
    done = len(APPS) * ROUNDS
    return f"{done} deploys and {done} rollbacks in {time.monotonic() - began:.0f} s of clean-up every second, {lost} requests lost"


def rounds(site: Site, shop: Repository) -> None:
    """Push, back, and forth again: the release before is always there, with its image."""
    for version in range(2, ROUNDS + 2):
        shop.commit(versioned(shop.app, version))
        done = shop.push()
        assert done.status == 0, done.text
        back = site.wherry("rollback", shop.app)
        assert back.status == 0, back.text
        status, body = site.get(shop.app)
        assert (status, body) == (200, f"{shop.app}/{version - 1}"), (status, body)
        if version <= ROUNDS:
            forth = site.wherry("rollback", shop.app)
            assert forth.status == 0, forth.text
