"""Files that hold what they should, and how often they are read for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wherry.building.held import BELIEVED, Held


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Clock:
    return Clock()


@pytest.fixture
def held(ticks: Callable[[], float]) -> Held:
    return Held(ticks)


def test_what_is_not_there_is_written(held: Held, tmp_path: Path) -> None:
    (file := tmp_path / "pids.max").write_text("max\n")
    assert held.hold(file, "512")
    assert file.read_text() == "512"


def test_what_somebody_else_wrote_is_seen_a_second_later(held: Held, ticks: Clock, tmp_path: Path) -> None:
    (file := tmp_path / "pids.max").write_text("512\n")
    assert held.hold(file, "512")
    file.write_text("max\n")
    held.hold(file, "512")
    assert file.read_text() == "max\n"
    ticks.now += 2 * BELIEVED
    held.hold(file, "512")
    assert file.read_text() == "512"


def test_another_wish_is_written_at_once(held: Held, tmp_path: Path) -> None:
    (file := tmp_path / "cpu.idle").write_text("0\n")
    held.hold(file, "0")
    held.hold(file, "1")
    assert file.read_text() == "1"


def test_a_change_may_have_undone_others(held: Held, tmp_path: Path) -> None:
    """The kernel sets the weight back when the idle class ends."""
    (weight := tmp_path / "cpu.weight").write_text("6\n")
    (idle := tmp_path / "cpu.idle").write_text("1\n")
    held.hold(weight, "6")
    held.hold(idle, "0")
    weight.write_text("100\n")
    held.hold(weight, "6")
    assert weight.read_text() == "6"


def test_what_can_not_be_written_is_told(held: Held, tmp_path: Path) -> None:
    assert not held.hold(tmp_path / "none" / "pids.max", "512")
