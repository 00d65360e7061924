"""Whether a platform with twenty apps is as quick as one with a single app."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from control_plane_memory import parts_of
from figure import Check, Figure, Row
from place import Place
from push_to_live import push
from small_app import new_version, small_app

from scenario_support import Repository, tiny_app

APPS = 20
PUSHES = 6
LOOKS = 30


def measure(place: Place, count: int = APPS) -> Figure:
    with place.app("one") as repository:
        for _ in range(2):
            place.release(repository, small_app(new_version()))
        before = _pushes(place, repository, "one app")
        with _others(place, count) as deploys:
            among = _pushes(place, repository, f"{count} apps")
            looks = [_look(place) for _ in range(LOOKS)]
            memory = sum(parts_of(place.site).values())
        after = _pushes(place, repository, "one app again")
    return _figure(count, before + after, among, looks, deploys, memory)


def _pushes(place: Place, repository: Repository, beside: str) -> list[float]:
    place.say(f"20 apps: code-only pushes with {beside} …")
    return [push(place, repository, new_version()).live for _ in range(PUSHES)]


@contextmanager
def _others(place: Place, count: int) -> Iterator[list[float]]:
    """The other apps, so that there are `count`; gone afterwards. Yields the seconds that each first push took."""
    names = [f"small-{number}" for number in range(count - 1)]
    place.say(f"20 apps: deploying {len(names)} more …")
    try:
        yield [_deploy(place, name) for name in names]
    finally:
        place.say("20 apps: destroying them …")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda name: place.site.wherry("apps:destroy", name, "--confirm", name), names))


def _deploy(place: Place, name: str) -> float:
    repository = Repository(place.site, name, place.folder / name)
    repository.commit(tiny_app(name))
    began = time.monotonic()
    pushed = repository.push("-q")
    assert pushed.status == 0, pushed.text
    return time.monotonic() - began


def _look(place: Place) -> float:
    began = time.monotonic()
    done = place.site.wherry("ps")
    assert done.status == 0, done.text
    return time.monotonic() - began


def _figure(count: int, alone: list[float], among: list[float], looks: list[float], deploys: list[float], memory: float) -> Figure:
    one = Row("push until live, one app", tuple(alone), "s")
    many = Row(f"push until live, {count} apps", tuple(among), "s")
    ps = Row("wherry ps, all apps", tuple(looks), "s")
    return Figure(
        "apps",
        "Twenty apps",
        f"A code-only push of one app while {count - 1} others serve, over the same before they came and after they went.",
        (
            Check(f"push with {count} apps / with one", many.median / one.median, "×", 1.2),
            Check("wherry ps (median)", ps.median * 1000, "ms", 100),
        ),
        (one, many, ps, Row("first push of a small app", tuple(deploys), "s"), Row("control plane meanwhile", (memory,), "MB")),
    )
