"""Whose build runs now, with real threads; memory is what the test says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from waiting import until
from wherry.errors import DeployFailed
from wherry.reconciler.build_queue import BuildQueue, Waiter


class Builds:
    """Builds that end when they are told, and what happened to them."""

    def __init__(self, places: int = 1, free: Callable[[], int] = lambda: 100, patience: float = 60.0) -> None:
        self.queue = BuildQueue(places, 50, patience, free)
        self.began: list[str] = []
        self.said: list[tuple[str, str]] = []
        self.end = {name: threading.Event() for name in "abc"}
        self.cancelled: set[str] = set()
        self._pool = ThreadPoolExecutor(8)

    def start(self, number: int, app: str) -> Future[None]:
        return self._pool.submit(self._build, number, app)

    def _build(self, number: int, app: str) -> None:
        with self.queue.turn(Waiter(number, app, lambda why: self.said.append((app, why)), lambda: app in self.cancelled)):
            self.began.append(app)
            assert self.end[app].wait(30)


def test_the_oldest_wish_is_next_whoever_came_to_the_queue_first() -> None:
    builds = Builds()
    builds.start(1, "a")
    until(lambda: builds.began == ["a"])
    builds.start(3, "c")
    until(lambda: ("c", "waiting for the build of a") in builds.said)
    builds.start(2, "b")
    until(lambda: ("c", "waiting for the builds of a, b") in builds.said)
    builds.end["a"].set()
    until(lambda: builds.began == ["a", "b"])
    until(lambda: builds.said[-1] == ("c", "waiting for the build of b"))
    builds.end["b"].set()
    until(lambda: builds.began == ["a", "b", "c"])
    builds.end["c"].set()


def test_as_many_run_as_there_are_places() -> None:
    builds = Builds(places=2)
    for number, app in enumerate("abc"):
        builds.start(number, app)
        until(lambda app=app, number=number: app in builds.began or number == 2)  # type: ignore[misc]
    until(lambda: ("c", "waiting for the builds of a, b") in builds.said)
    for event in builds.end.values():
        event.set()
    until(lambda: builds.began == ["a", "b", "c"])


def test_a_build_waits_until_there_is_memory_for_it() -> None:
    free = [10]
    builds = Builds(free=lambda: free[0])
    builds.queue._needed = 50 * 1024**2
    done = builds.start(1, "a")
    until(lambda: builds.said == [("a", "waiting for memory: a build starts when 50 MB are free")])
    assert builds.began == []
    free[0] = 60 * 1024**2
    builds.end["a"].set()
    done.result(20)
    assert builds.began == ["a"]


def test_a_wait_for_memory_that_never_comes_fails_with_the_figures_and_lets_the_next_try() -> None:
    builds = Builds(free=lambda: 10, patience=0.3)
    with pytest.raises(DeployFailed) as caught:
        builds.start(1, "a").result(20)
    assert (caught.value.code, caught.value.message) == (
        "build_no_memory",
        "there is too little memory for a build: 0 MB are free, it needs 0",
    )
    with pytest.raises(DeployFailed):
        builds.start(2, "b").result(20)


def test_a_cancelled_wait_ends_and_holds_up_nobody() -> None:
    builds = Builds()
    builds.start(1, "a")
    until(lambda: builds.began == ["a"])
    waiting = builds.start(2, "b")
    until(lambda: builds.said)
    builds.start(3, "c")
    builds.cancelled.add("b")
    with pytest.raises(DeployFailed, match="cancelled before it began"):
        waiting.result(20)
    builds.end["a"].set()
    until(lambda: builds.began == ["a", "c"])
    builds.end["c"].set()
