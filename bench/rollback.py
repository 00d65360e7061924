"""How long a rollback takes until the earlier version answers, over the start of a container and the app's own boot."""

from __future__ import annotations

import time

import docker_socket
from by_hand import ByHand, by_hand
from figure import Check, Figure, Row
from place import Place, ensure
from small_app import COMMAND, new_version, small_app
from watcher import Watcher

from scenario_support import Repository

ROUNDS = 8


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    ensure(["/usr/sbin/sshd"], place.say)
    versions = (new_version(), new_version())
    with by_hand(place.site, place.folder / "floor", COMMAND) as hand, place.app("back") as repository:
        place.say("rollback: two releases …")
        for version in versions:
            place.release(repository, small_app(version))
        image = docker_socket.inspect(place.site.containers("back")[0])["Image"]
        ours, floor = [], []
        for number in range(rounds):
            place.say(f"rollback: round {number + 1} of {rounds} …")
            ours.append(_roll_back(place, repository, f"v{1 + number % 2}", versions[number % 2]))
            floor.append(_start(hand, image, versions[1]))
    return _figure(ours, floor)


def _roll_back(place: Place, repository: Repository, release: str, version: str) -> float:
    """Seconds from the command until what `release` said is answered again."""
    with Watcher("127.0.0.1", place.site.http_port, f"{repository.app}.localhost") as watcher:
        began = time.monotonic()
        done = place.site.wherry("rollback", repository.app, release)
        assert done.status == 0, done.text
        took = watcher.seen(version) - began
    place.settled(repository.app)
    return took


def _start(hand: ByHand, image: str, version: str) -> float:
    """Seconds from the creation of a container until it answers."""
    hand.watcher.forget()
    began = time.monotonic()
    container = hand.start(image)
    took = hand.watcher.seen(version) - began
    hand.take_over(container)
    return took


def _figure(ours: list[float], floor: list[float]) -> Figure:
    wherry = Row("rollback until live, the command's own start included", tuple(ours), "s")
    hand = Row("container start + the app's own boot", tuple(floor), "s")
    return Figure(
        "rollback",
        "Rollback",
        "wherry rollback until the earlier version answers through the proxy, over a container of the same image created and"
        " started by hand until it answers directly.",
        (Check("rollback / (start + boot)", wherry.median / hand.median, "×", 1.5),),
        (wherry, hand),
    )
