"""How long one more instance takes until it serves, and a config change until it is live, over a container's start and the app's boot."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import docker_socket
from by_hand import ByHand, by_hand
from figure import Figure, Row, compare
from place import Place
from watcher import Watcher

from scenario_support import Site, tiny_app

APP, ROUNDS = "changed", 9
COMMAND = "python app.py"


@dataclass
class Seconds:
    """What each round took."""

    scale: list[float] = field(default_factory=list)
    config: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    took = Seconds()
    with place.app(APP) as repository, by_hand(place.site, place.folder / "floor", COMMAND) as hand:
        place.say("scale and config: an app …")
        place.release(repository, tiny_app(1))
        image = str(docker_socket.inspect(place.site.containers(APP)[0])["Image"])
        for number in range(rounds):
            place.say(f"scale and config: round {number + 1} of {rounds} …")
            took.floor.append(_start(hand, image))
            took.scale.append(_seen(place.site, "/instance", "web.2", "ps:scale", APP, "web=2"))
            place.settled(APP, 2)
            took.back.append(_ran(place.site, "ps:scale", APP, "web=1"))
            place.settled(APP)
            took.config.append(_seen(place.site, "/env", f"blue-{number}", "config:set", APP, f"COLOUR=blue-{number}"))
            place.settled(APP)
    return _figure(took)


def _seen(site: Site, path: str, text: str, *words: str) -> float:
    """Seconds from the start of the command until a visitor of `path` has read `text`."""
    with Watcher("127.0.0.1", site.http_port, f"{APP}.localhost", path) as watcher:
        began = time.monotonic()
        _ran(site, *words)
        return watcher.seen(text) - began


def _ran(site: Site, *words: str) -> float:
    """Seconds until the command returned."""
    began = time.monotonic()
    done = site.wherry(*words)
    assert done.status == 0, done.text
    return time.monotonic() - began


def _start(hand: ByHand, image: str) -> float:
    """Seconds from the creation of a container by hand until it answers; nothing answers before."""
    hand.watcher.forget()
    began = time.monotonic()
    container = hand.start(image)
    took = hand.watcher.seen("1") - began
    hand.watcher.aim("127.0.0.1", 9)
    docker_socket.remove(container)
    hand.made.remove(container)
    return took


def _figure(took: Seconds) -> Figure:
    floor = Row("container start + the app's own boot (the floor)", tuple(took.floor), "s")
    scale = Row("ps:scale web=2 until the second serves", tuple(took.scale), "s")
    config = Row("config:set until the new value is served", tuple(took.config), "s")
    return Figure(
        "scale",
        "Scale and config",
        "From the start of the command until a visitor sees it (web.2 answers; the new value is answered), over a container of the same"
        " image created and started by hand on an app's own network until it answers directly. A small Python app of the standard library.",
        (
            compare("scale 1 to 2 / (start + boot)", scale.values, floor.values, 1.5),
            compare("config change / (start + boot)", config.values, floor.values, 1.5),
        ),
        (scale, config, floor, Row("ps:scale web=1 until it returns", tuple(took.back), "s")),
    )
