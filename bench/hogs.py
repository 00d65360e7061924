"""What visitors of a running app notice while builds beside it want all memory, processes or disk that there are."""

from __future__ import annotations

import http.client
import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from by_hand import stack_image
from figure import Check, Figure, Row
from place import Place
from small_app import new_version, small_app

CONNECTIONS = 4
PAUSE = 0.01
"""Seconds between two requests of a visitor: people, not a flood, which would be slow by itself."""
NICE = -10
"""Visitors have a processor of their own at home: they do not wait for this machine's, neither before nor during a hog."""
CALM = 20.0
"""Seconds of each measurement without a hog, half of them before and half after, since machines drift; and at least of that beside it: a
hog that is ended at once is pushed again and again, since the 99th percentile of half a second is the second slowest answer of 200."""
ROUNDS = 3
"""Of each hog: two of twenty seconds differ by a quarter, with the same code on a quiet machine."""
SETTLES = 3.0
"""Seconds after a hog in which what it left behind is cleared away."""
TITLE = "Builds that want everything"
HOW = (
    f"The 99th percentile of an app's answers to {CONNECTIONS} visitors, before and after builds, and while builds beside it take all"
    " memory, start processes without end, or write a file of 20 GB; each build ends with the name of what it ran out of, and what"
    f" ends within {CALM:.0f} s is pushed again. The median of {ROUNDS} rounds. For comparison, pushes one after another whose builds just"
    " fail."
    f" The visitors' own program has a nice value of {NICE} throughout, as if it ran on a machine of theirs, and git and ssh of whoever"
    " pushes are in the idle class for the same reason."
)
MODEST = "nothing"
HOGS = {
    MODEST: ("sleep 1; false", "dockerfile_failed"),
    "memory": ("tail /dev/zero", "build_memory"),
    "processes": ("while :; do sleep 60 & done", "build_processes"),
    "disk": ("dd if=/dev/zero of=/big bs=1M count=20000", "build_disk"),
}
"""What each build runs, and the code of the error that it ends with."""


@dataclass
class Visitors:
    """Asks on keep-alive connections. `took` is how long each good answer took, in ms; `bad` says what else came."""

    port: int
    host: str
    took: list[float] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Visitors:
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CONNECTIONS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def __add__(self, other: Visitors) -> Visitors:
        return Visitors(self.port, self.host, self.took + other.took, self.bad + other.bad)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.took, n=100)[98]

    def _ask(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self._stop.wait(PAUSE):
            try:
                self._once(connection)
            except (OSError, http.client.HTTPException) as error:
                self.bad.append(type(error).__name__)
                connection.close()
        connection.close()

    def _once(self, connection: http.client.HTTPConnection) -> None:
        began = time.monotonic()
        connection.request("GET", "/", headers={"Host": self.host})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            self.took.append((time.monotonic() - began) * 1000)
        else:
            self.bad.append(str(answer.status))


def calm_while(port: int, host: str) -> Visitors:
    """Half of what is compared with: once before what is measured, and once after it."""
    with Visitors(port, host) as calm:
        time.sleep(CALM / 2)
    return calm


@contextmanager
def _at_home() -> Iterator[None]:
    """For whoever pushes: their git and ssh run on a machine of theirs, and take nothing of this one from visitors."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def measure(place: Place) -> Figure:
    rows, checks, bad = [], [], []
    with place.app("neighbour") as neighbour:
        place.release(neighbour, small_app(new_version()))
        for hog in HOGS:
            place.say(f"hogs: {hog} …")
            rounds = [_beside(place, hog) for _ in range(ROUNDS)]
            ratios = tuple(busy.p99 / calm.p99 for calm, busy in rounds)
            rows.append(Row(f"p99 without, {hog}", tuple(calm.p99 for calm, _ in rounds), "ms"))
            rows.append(Row(f"p99 beside, {hog}", tuple(busy.p99 for _, busy in rounds), "ms"))
            if hog == MODEST:
                rows.append(Row("p99 beside one that just fails / without", ratios, "×"))
            else:
                spread = min(ratios), max(ratios)
                checks.append(Check(f"p99 beside a hog of {hog} / without", statistics.median(ratios), "×", 2.0, spread=spread))
            bad += [word for calm, busy in rounds for word in calm.bad + busy.bad]
    checks.append(Check("requests lost", len(bad), "", 0))
    return Figure("hogs", TITLE, HOW, tuple(checks), tuple(rows), tuple(sorted(set(bad))))


def _beside(place: Place, hog: str) -> tuple[Visitors, Visitors]:
    """The neighbour's visitors in calm whiles and during pushes of the hog, which have to fail with its name."""
    run, code = HOGS[hog]
    port, host = place.site.http_port, "neighbour.localhost"
    before = calm_while(port, host)
    with place.app(f"hog-{hog}") as greedy, Visitors(port, host) as busy:
        end = time.monotonic() + CALM
        while time.monotonic() < end:
            with _at_home():
                greedy.commit({"Dockerfile": f"FROM {stack_image(place.site)}\nUSER root\nRUN : {new_version()}; {run}\nCMD true\n"})
                pushed = greedy.push()
            assert f"{place.site.name} help {code}" in pushed.text, pushed.text
    time.sleep(SETTLES)
    return before + calm_while(port, host), busy
