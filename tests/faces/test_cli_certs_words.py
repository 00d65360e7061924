"""What `certs` and `certs:info` say of a certificate at each moment of its life."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from wherry import clock
from wherry.faces.cli import certs


def at(**delta: float) -> str:
    return clock.text(clock.parse(clock.now()) + timedelta(**delta))


def row(**known: Any) -> dict[str, Any]:
    bare = {"issuer": "", "error": "", "renew_at": None, "next_try": None, "not_after": None}
    return bare | known


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (row(next_try=at(seconds=-5)), "being ordered"),
        (row(next_try=at(seconds=-5), error="no such zone"), "being ordered; last time: no such zone"),
        (row(next_try=at(minutes=5), error="no such zone"), "no such zone"),
        (row(next_try=at(days=50), renew_at=at(days=50), issuer="R11"), "R11"),
        (row(next_try=at(hours=-1), renew_at=at(days=50), issuer="R11"), "R11"),
        (row(next_try=at(hours=-1), renew_at=at(hours=-1), issuer="R11"), "R11; being ordered"),
        (row(error="a private name"), "a private name"),
    ],
)
def test_an_order_under_way_is_told(one: dict[str, Any], told: str) -> None:
    assert certs._told(one) == told


def test_moments_are_told_from_now() -> None:
    assert certs.ends(row(not_after=at(days=90, minutes=1))) == "in 90 days"
    assert certs.ends(row(not_after=at(days=-3, minutes=-1))) == "3 days ago"
    assert certs._renewal(row(renew_at=at(days=60, minutes=1), next_try=at(days=60), not_after=at(days=90))) == "in 60 days"
    assert certs._renewal(row(renew_at=at(days=-1), next_try=at(hours=1), not_after=at(days=9))) == "due"
    assert certs._renewal(row(renew_at=at(days=-1), next_try=at(hours=-1), not_after=at(days=9))) == "being ordered"
    assert certs._renewal(row(renew_at=at(days=-1), next_try=at(hours=1))) == "", "there is nothing to renew yet"
    assert certs._next_try(row(error="no", next_try=at(minutes=5, seconds=1))) == "in 5 min"
    assert certs._next_try(row(error="no", next_try=at(hours=3, seconds=9))) == "in 3 h"
    assert [certs._tries(number) for number in (0, 1, 3)] == ["", " (tried once)", " (tried 3 times in a row)"]
