"""Whether a platform that holds much is as quick as one that holds little: 1, 10 and 50 apps, and an app of 1,000 releases."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import docker_socket
from api_client import Api
from control_plane_memory import parts_of
from figure import Check, Figure, Row
from place import Place
from push_to_live import push
from small_app import new_version, small_app

from scenario_support import Repository
from tiny_image import NAME, TAG, tiny_image
from waiting import until
from wherry import clock, settings
from wherry.running import docker_client
from wherry.services import platform as platforms
from wherry.store import apps, releases

SIZES = (10, 50)
RELEASES = 1000
ROUNDS, ANSWERS, REST = 5, 100, 8.0
ONE = "one"
TINY = {"Dockerfile": f'FROM {NAME}:{TAG}\nCMD ["sh", "-c", "exec httpd -f -p $PORT -h /www"]\n'}
HOW = (
    "One small Flask app is pushed, its instance killed and the API asked while more and more others serve: apps of one process in an"
    " image of 2 MB. Healing is from the kill of the only instance until Docker says that the next one was started. At rest is the"
    f" processor's share of one core, over {REST:.0f} s."
)


class Seen:
    """What was measured with so much on the platform; `beside` says how much, in words."""

    def __init__(self, place: Place, repository: Repository, beside: str) -> None:
        place.say(f"growth: {beside} …")
        began, spent = time.monotonic(), _processor(place)
        time.sleep(REST)
        self.busy = (_processor(place) - spent) / (time.monotonic() - began) * 100
        self.memory = sum(parts_of(place.site).values())
        # By turns: a new release begins without crashes, after which one would wait longer and longer.
        rounds = [(push(place, repository, new_version()).live, _heal(place)) for _ in range(ROUNDS)]
        self.pushes, self.healings = (tuple(values) for values in zip(*rounds, strict=True))
        self.commands = tuple(_look(place) for _ in range(ANSWERS // 10))
        with Api(place.site) as api:
            self.apps = api.times("/api/apps", ANSWERS)
            self.releases = api.times(f"/api/apps/{ONE}/releases", ANSWERS)
        self.beside = beside

    def rows(self) -> tuple[Row, ...]:
        named = [
            ("push until live", self.pushes, "s"),
            ("healing", self.healings, "s"),
            ("wherry ps", self.commands, "ms"),
            ("GET /api/apps", self.apps, "ms"),
            ("GET …/releases", self.releases, "ms"),
            ("memory of the control plane", (self.memory,), "MB"),
            ("control plane at rest", (self.busy,), "% of a core"),
        ]
        return tuple(Row(f"{self.beside}: {what}", values, unit) for what, values, unit in named)


def measure(place: Place, sizes: tuple[int, ...] = SIZES, count: int = RELEASES) -> Figure:
    with place.app(ONE) as repository:
        for _ in range(2):
            place.release(repository, small_app(new_version()))
        seen = [Seen(place, repository, "1 app")]
        with _others(place) as names:
            for size in sizes:
                _grow(place, names, size - 1)
                seen.append(Seen(place, repository, f"{size} apps"))
        _write_releases(place, count)
        old = Seen(place, repository, f"1 app, {count:,} releases")
    return _figure(seen, old)


@contextmanager
def _others(place: Place) -> Iterator[list[str]]:
    """The names of the other apps, to be added to; they are destroyed afterwards."""
    client = docker_client.client()
    tiny_image(client)
    client.close()
    names: list[str] = []
    try:
        yield names
    finally:
        place.say("growth: destroying the others …")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda name: place.site.wherry("apps:destroy", name, "--confirm", name), names))


def _grow(place: Place, names: list[str], count: int) -> None:
    place.say(f"growth: deploying {count - len(names)} more apps …")
    while len(names) < count:
        names.append(f"other-{len(names)}")
        repository = Repository(place.site, names[-1], place.folder / names[-1])
        repository.commit(TINY)
        pushed = repository.push("-q")
        assert pushed.status == 0, pushed.text


def _heal(place: Place) -> float:
    """Seconds from the end of the only instance until the next was started."""
    (killed,) = place.site.containers(ONE)
    began = time.time()
    docker_socket.call("POST", f"/containers/{killed}/kill")
    until(lambda: _serves(place) and killed not in place.site.containers(ONE), 60, "a new instance that serves")
    labels = [f"wherry.platform={place.site.name}", f"wherry.app={ONE}"]
    started = docker_socket.events(began, time.time(), type=["container"], event=["start"], label=labels)
    place.settled(ONE)
    return float(started[0]["timeNano"]) / 1e9 - began


def _serves(place: Place) -> bool:
    try:
        return place.site.get(ONE)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def _look(place: Place) -> float:
    began = time.monotonic()
    done = place.site.wherry("ps")
    assert done.status == 0, done.text
    return (time.monotonic() - began) * 1000


def _processor(place: Place) -> float:
    """Seconds of processor that engine, API and receiver have taken."""
    words = [
        Path(f"/proc/{place.site.pid(part)}/stat").read_text("ascii").rpartition(")")[2].split() for part in ("engine", "api", "receiver")
    ]
    return sum(int(found[11]) + int(found[12]) for found in words) / float(os.sysconf("SC_CLK_TCK"))


def _write_releases(place: Place, count: int) -> None:
    """Rows of live releases, each with another config, by the store's own functions: a push each would take half an hour."""
    place.say(f"growth: writing {count:,} releases …")
    platform = platforms.of(settings.load({"WHERRY_HOME": str(place.site.home), "WHERRY_NAME": place.site.name}))
    with platform.database.write() as connection:
        app = apps.get(connection, ONE)
        present = releases.current(connection, app)
        assert present is not None
        for number in range(count):
            made = releases.add(connection, app, present.build, {"NUMBER": str(number)}, f"Set NUMBER, time {number}", "bench", clock.now())
            releases.record_outcome(connection, made, "live", "", clock.now())


def _figure(seen: list[Seen], old: Seen) -> Figure:
    first, most = seen[0], seen[-1]
    medians = {each.beside: [row.median for row in each.rows()] for each in (*seen, old)}

    def times(each: Seen, row: int) -> float:
        return medians[each.beside][row] / medians[first.beside][row]

    return Figure(
        "growth",
        "Growth",
        HOW,
        (
            Check(f"push with {most.beside} / with {first.beside}", times(most, 0), "×", 1.2),
            Check(f"push with {RELEASES:,} releases / with few", times(old, 0), "×", 1.2),
            Check(f"healing with {most.beside} / with {first.beside}", times(most, 1), "×", 1.5),
            Check(f"wherry ps with {most.beside}", medians[most.beside][2], "ms", 100),
            Check(f"memory with {most.beside}", most.memory, "MB", 120),
        ),
        tuple(row for each in (*seen, old) for row in each.rows()),
        (
            f"The {RELEASES:,} releases are rows written by the platform's own store, not pushes; they share one image. Within an hour the"
            " platform would let all go but the newest 50 (`WHERRY_RELEASES`).",
        ),
    )
