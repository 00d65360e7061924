"""What the loop makes of Docker's hints; over instances in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from platform_support import Machine, machine
from wherry import clock
from wherry.reconciler.loop import Loop
from wherry.reconciler.outside import Outside
from wherry.running.engine import Happening, Observed
from wherry.running.memory_engine import MemoryEngine

APP = "other"
"""No app of the platform: its own loop leaves it alone."""


class Counting(Loop):
    """Counts how often it would look."""

    looks = 0

    def wake(self) -> None:
        self.looks += 1


class Watched(MemoryEngine):
    """Counts how often all that runs was looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def observe(self, app: str | None = None) -> list[Observed]:
        self.looks += app is None
        return super().observe(app)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path) as made:
        yield made


@contextmanager
def moved(outside: Outside) -> Iterator[None]:
    """Somebody else moves the app, as an operation does."""
    begun, over = threading.Event(), threading.Event()

    def move() -> None:
        with outside.memory.alone(APP):
            begun.set()
            over.wait(30)

    thread = threading.Thread(target=move)
    thread.start()
    try:
        assert begun.wait(30)
        yield
    finally:
        over.set()
        thread.join()


def looks(loop: Counting, action: str) -> int:
    before = loop.looks
    loop.heard(Happening(action, "c0ffee", APP))
    return loop.looks - before


def test_a_start_is_looked_at_unless_somebody_moves_the_app(here: Machine) -> None:
    loop = Counting(here.outside)
    assert looks(loop, "start") == 1
    with moved(here.outside):
        assert looks(loop, "start") == 0
    assert looks(loop, "start") == 1


@pytest.mark.parametrize("action", ["die", "oom", "destroy"])
def test_an_end_is_looked_at_whoever_moves_the_app(here: Machine, action: str) -> None:
    loop = Counting(here.outside)
    with moved(here.outside):
        assert looks(loop, action) == 1


def test_a_build_that_fails_has_nobody_look_at_all_that_runs(tmp_path: Path) -> None:
    watched = Watched()
    with machine(tmp_path, watched) as here:
        here.loop.tick = 600
        here.push("shop", "a", image="good", web="run")
        _look(here, watched)
        before = watched.looks
        for tree in "bc":
            assert here.push("shop", tree, fail="no requirements").state == "failed"
        _look(here, watched)
        assert watched.looks == before + 1


def test_an_operation_that_changes_what_runs_is_followed_by_a_look(tmp_path: Path) -> None:
    watched = Watched()
    with machine(tmp_path, watched) as here:
        here.loop.tick = 600
        _look(here, watched)
        before = watched.looks
        here.push("shop", "a", image="good", web="run")
        here.until(lambda: watched.looks > before)


def _look(here: Machine, watched: Watched) -> None:
    """Has all that runs be looked at, after whatever else waits for that."""
    clock.sleep(0.2)
    before = watched.looks
    here.loop.wake()
    here.until(lambda: watched.looks > before)
