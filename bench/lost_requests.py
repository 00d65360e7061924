"""Whether a visitor notices deploys and scaling: keep-alive connections that never retry, counted by `load.py`."""

from __future__ import annotations

import time
from typing import Any

from figure import Check, Figure, Row
from place import Place

from scenario_support import Repository, tiny_app

DEPLOYS = 20
QUANTITIES = (3, 1, 2, 4, 1, 3, 2, 5, 2, 1)
CONNECTIONS = 50
ENOUGH = 50_000
PAUSE = 1.0
"""Seconds after each change, so that visitors also meet what comes later: draining, the end of the old instances."""


def measure(place: Place, deploys: int = DEPLOYS) -> Figure:
    with place.app("busy") as repository:
        place.release(repository, tiny_app(1))
        with place.site.visitors("busy", CONNECTIONS) as count:
            _change(place, repository, deploys)
    return _figure(count, deploys)


def _change(place: Place, repository: Repository, deploys: int) -> None:
    """Deploys, with a change of scale after every other one."""
    for number in range(deploys):
        place.say(f"lost requests: deploy {number + 1} of {deploys}, {CONNECTIONS} visitors …")
        pushed = repository.release(number + 2)
        assert pushed.status == 0, pushed.text
        time.sleep(PAUSE)
        if number % 2:
            quantity = QUANTITIES[number // 2 % len(QUANTITIES)]
            scaled = place.site.wherry("ps:scale", "busy", f"web={quantity}")
            assert scaled.status == 0, scaled.text
            time.sleep(PAUSE)


def _figure(count: dict[str, Any], deploys: int) -> Figure:
    return Figure(
        "lost",
        "Lost requests",
        f"{deploys} deploys and {deploys // 2} changes of scale under {CONNECTIONS} keep-alive connections that ask without a"
        " pause and never retry.",
        (
            Check("requests lost", count["lost"], "", 0),
            Check("versions that went backwards", count["backwards"], "", 0),
            Check("requests answered", count["answered"], "", ENOUGH, at_least=True),
        ),
        (
            Row("requests per second meanwhile", (count["answered"] / count["seconds"],), "/s"),
            Row("slowest answer", (count["slowest"],), "s"),
            Row("versions seen", (len(count["versions"]),), ""),
        ),
        tuple(count["reasons"]),
    )
