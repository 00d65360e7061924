"""How long a rollback takes until the earlier version answers, over the start of a container and the app's own boot."""

from __future__ import annotations

import time

import docker_socket
from by_hand import ByHand, by_hand
from figure import Figure, Row, compare
from place import Place, ensure
from small_app import COMMAND, new_version, small_app
from timeline import ROLLBACK, between, marks_of
from watcher import Watcher

from scenario_support import Repository

ROUNDS = 12


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    ensure(["/usr/sbin/sshd"], place.say)
    versions = (new_version(), new_version())
    with by_hand(place.site, place.folder / "floor", COMMAND) as hand, place.app("back") as repository:
        place.say("rollback: two releases …")
        images = [_release(place, repository, version) for version in versions]
        ours, floor, plain = [], [], []
        for number in range(rounds):
            place.say(f"rollback: round {number + 1} of {rounds} …")
            turn = number % 2
            ours.append(_roll_back(place, repository, f"v{1 + turn}", versions[turn]))
            floor.append(_start(hand, images[turn], versions[turn]))
            plain.append(_start(hand, images[turn], versions[turn], "bridge"))
    return _figure(ours, floor, plain)


def _release(place: Place, repository: Repository, version: str) -> str:
    """Deploys `version` and returns its image."""
    place.release(repository, small_app(version))
    return str(docker_socket.inspect(place.site.containers(repository.app)[0])["Image"])


def _roll_back(place: Place, repository: Repository, release: str, version: str) -> dict[str, float]:
    """Seconds from the command until what `release` said is answered again, as `live`, and of each stage on the way."""
    with Watcher("127.0.0.1", place.site.http_port, f"{repository.app}.localhost") as watcher:
        began, offset = time.time(), time.time() - time.monotonic()
        done = place.site.wherry("rollback", repository.app, release)
        returned = time.time()
        assert done.status == 0, done.text
        live = watcher.seen(version) + offset
    place.settled(repository.app)
    known = {"began": began, "live": live, "returned": returned}
    return {"live": live - began, **between(ROLLBACK, known | marks_of(place.site, began, max(live, returned)))}


def _start(hand: ByHand, image: str, version: str, network: str = "") -> float:
    """Seconds from the creation of a container until it answers; nothing answers before."""
    hand.watcher.forget()
    began = time.monotonic()
    container = hand.start(image, network)
    took = hand.watcher.seen(version) - began
    hand.watcher.aim("127.0.0.1", 9)
    hand.take_over(container)
    return took


def _figure(ours: list[dict[str, float]], floor: list[float], plain: list[float]) -> Figure:
    wherry = Row("rollback until live, the command's own start included", tuple(took["live"] for took in ours), "s")
    hand = Row("container start + the app's own boot", tuple(floor), "s")
    bridge = Row("the same on Docker's default bridge, without walls between apps", tuple(plain), "s")
    stages = [Row(f"Wherry: {name}", tuple(took[name] for took in ours), "s") for name, _ in ROLLBACK]
    return Figure(
        "rollback",
        "Rollback",
        "wherry rollback until the earlier version answers through the proxy, over a container of the same image created and"
        " started by hand on an app's own network until it answers directly.",
        (compare("rollback / (start + boot)", wherry.values, hand.values, 1.3),),
        (wherry, hand, bridge, *stages),
    )
