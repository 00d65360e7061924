"""How long the very first push of an app takes: when its language was never built here, and when it was."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import docker_socket
from figure import Figure, Row
from place import Place
from small_app import new_version, small_app
from watcher import Watcher

from scenario_support import Site

ROUNDS, WARM = 2, 2
SECONDS = 900.0
HOW = (
    "From the start of git push until a visitor is answered: Flask with gunicorn from PyPI (8 packages, pinned), Express from npm. With"
    " nothing: no base image is there, so the platform makes one of the distribution's packages, or takes the Hub's. Each app is new, so"
    " its own dependencies are fetched every time. The registries and what lies between take part: not a figure to compare across networks."
)
PACKAGE = {
    "name": "first",
    "version": "1.0.0",
    "private": True,
    "engines": {"node": "24.x"},
    "scripts": {"start": "node server.js"},
    "dependencies": {"express": "4.19.2"},
}
SERVER = """\
const app = require("express")();
app.get("/", (_, answer) => answer.send("{version}"));
app.listen(process.env.PORT);
"""


def node_app(version: str) -> dict[str, str]:
    return {"package.json": json.dumps(PACKAGE, indent=1) + "\n", "server.js": SERVER.format(version=version)}


@dataclass
class Seconds:
    """What each first push took, by what was there before."""

    nothing: list[float] = field(default_factory=list)
    no_node: list[float] = field(default_factory=list)
    python: list[float] = field(default_factory=list)
    node: list[float] = field(default_factory=list)


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    took = Seconds()
    for number in range(rounds):
        place.say(f"first deploys: round {number + 1} of {rounds}, no base images …")
        for image in _base_images(place.site):
            with suppress(docker_socket.Refused):
                docker_socket.remove_image(image)
        took.nothing.append(_first_push(place, small_app))
        took.no_node.append(_first_push(place, node_app))
        place.say(f"first deploys: round {number + 1} of {rounds}, with base images …")
        for _ in range(WARM):
            took.python.append(_first_push(place, small_app))
            took.node.append(_first_push(place, node_app))
    return _figure(took)


def _base_images(site: Site) -> Iterator[str]:
    """The tags of what this platform builds apps on; an app's own image has the label of its app besides."""
    filters = json.dumps({"label": [f"wherry.platform={site.name}", "wherry.stack"]})
    for image in docker_socket.call("GET", "/images/json", filters=filters):
        if not image["Labels"].get("wherry.app"):
            yield from image["RepoTags"] or []


def _first_push(place: Place, files: Callable[[str], Mapping[str, str]]) -> float:
    """Seconds until a new app answers; it is gone afterwards."""
    version, name = new_version(), f"first-{uuid.uuid4().hex[:8]}"
    with place.app(name) as repository, Watcher("127.0.0.1", place.site.http_port, f"{name}.localhost") as watcher:
        repository.commit(dict(files(version)))
        began = time.monotonic()
        pushed = repository.push("-q")
        assert pushed.status == 0, pushed.text
        return watcher.seen(version, SECONDS) - began


def _figure(took: Seconds) -> Figure:
    return Figure(
        "first",
        "First deploys",
        HOW,
        (),
        (
            Row("Python, with nothing", tuple(took.nothing), "s"),
            Row("Node.js, with the base image and not the language's", tuple(took.no_node), "s"),
            Row("Python, language there", tuple(took.python), "s"),
            Row("Node.js, language there", tuple(took.node), "s"),
        ),
    )
