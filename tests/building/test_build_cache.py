"""Records of the build cache that are too many go, those first that were not used for longest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import building_support as support
from wherry import clock
from wherry.building.build_cache import BuildCache, too_old
from wherry.building.buildkit import BuildKit

if TYPE_CHECKING:
    from conftest import Bench

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def record(used: float, made: float = 0.0) -> dict[str, str | bool | None]:
    """As Docker lists it: seconds ago that it was used last (0: never) and made."""
    times = {name: (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.000000000Z") for name, ago in (("u", used), ("m", made))}
    return {"CreatedAt": times["m"], "LastUsedAt": times["u"] if used else None}


def test_as_many_as_may_be_stay_whatever_their_age() -> None:
    assert too_old([record(90), record(10_000_000)], NOW, 2) is None
    assert too_old([], NOW, 2) is None


def test_those_that_were_used_last_stay() -> None:
    assert too_old([record(60), record(7200), record(3600), record(10)], NOW, 2) == 3600
    assert too_old([record(60), record(7200), record(3600), record(10)], NOW, 3) == 7200


def test_one_that_was_never_used_counts_from_when_it_was_made() -> None:
    assert too_old([record(10), record(0, made=500), record(20)], NOW, 2) == 500


def test_what_images_share_is_not_counted() -> None:
    assert too_old([record(60), {**record(7200), "Shared": True}, record(3600)], NOW, 2) is None


def test_what_was_made_just_now_is_old_enough_when_it_is_too_much() -> None:
    assert too_old([record(0, made=0), record(0, made=0)], NOW, 1) == 1


@pytest.mark.engine
def test_the_engine_forgets_what_is_too_much_and_still_knows_the_last_build(bench: Bench, tmp_path: Path) -> None:
    files = {"Dockerfile": 'FROM scratch\nCOPY a /a\nCOPY b /b\nCMD ["/a"]\n', "a": "1"}
    for number in range(3):
        bench.build(support.push(tmp_path / str(number), {**files, "b": str(number)}, bench.app(f"records-{number}")))
        clock.sleep(1.5)  # the engine counts in whole seconds
    kit = BuildKit()
    cache = BuildCache(kit)
    before = _ours(cache)
    cache.shrink(2**60, len(before) - 3)
    assert len(_ours(cache)) <= len(before) - 3
    assert before[-1] in _ours(cache)
    kit.close()


def _ours(cache: BuildCache) -> list[str]:
    """The ids of the records that no image shares, the last that was used at the end."""
    found = [record for record in cache.records() if not record["Shared"]]
    return [record["ID"] for record in sorted(found, key=lambda record: record["LastUsedAt"] or record["CreatedAt"])]
