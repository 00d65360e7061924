"""When a build is ended because the machine, or its own share, has so little memory that nothing gets on."""

from __future__ import annotations

import pytest

from wherry.building.shortage import PATIENCE, Shortage
from wherry.machine import Memory
from wherry.model.shares import MB


class Seen:
    """A build for which time passes second by second, with what the kernel would tell."""

    def __init__(self) -> None:
        self.memories: dict[str, Memory] = {}
        self.shortage = Shortage(lambda: self.memories)
        self.second, self.refaults, self.waited = 0.0, 0, 0.0

    def passes(self, seconds: float, free: int, refaults: int, name: str = "the machine", waits: float | None = 0.9) -> str:
        """`free` is MB, `refaults` a second, `waits` the share of the time; None: nobody tells. Returns what is short at the end."""
        short = ""
        for _ in range(int(seconds)):
            self.second, self.refaults = self.second + 1, self.refaults + refaults
            self.waited += waits or 0.0
            self.memories = {name: Memory(512 * MB, free * MB, self.refaults, None if waits is None else self.waited)}
            short = self.shortage.see(self.second)
        return short


@pytest.mark.parametrize("waits", [0.9, None])
def test_little_memory_and_pages_read_again_for_long_is_a_shortage(waits: float | None) -> None:
    seen = Seen()
    assert seen.passes(PATIENCE - 1, 90, 60_000, waits=waits) == ""
    assert seen.passes(3, 90, 60_000, waits=waits) == "the machine"


def test_a_disk_so_fast_that_hardly_anybody_waits_for_it_is_fine() -> None:
    assert Seen().passes(600, 90, 20_000, waits=0.2) == ""


def test_a_build_that_takes_nearly_all_and_gets_on_is_left_alone() -> None:
    assert Seen().passes(600, 20, 30) == ""


def test_reading_a_large_file_again_and_again_is_no_shortage_where_memory_is_free() -> None:
    assert Seen().passes(600, 300, 50_000) == ""


def test_a_build_that_gets_out_of_it_goes_on() -> None:
    seen = Seen()
    for _ in range(20):
        assert seen.passes(PATIENCE / 2, 40, 20_000) == ""
        assert seen.passes(PATIENCE / 2, 200, 0) == ""


def test_the_share_of_builds_may_be_short_while_the_machine_is_not() -> None:
    assert Seen().passes(PATIENCE + 2, 10, 20_000, "buildkit") == "buildkit"


def test_a_group_that_came_later_has_its_own_beginning() -> None:
    seen = Seen()
    seen.passes(PATIENCE / 2, 40, 20_000)
    assert seen.passes(PATIENCE / 2 + 1, 40, 20_000, "buildkit") == ""
