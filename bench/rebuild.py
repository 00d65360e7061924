"""How long a build takes beside the best Dockerfile that a person would write for the same files, and what one more dependency costs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

import docker_socket
from figure import Check, Figure, Row, compare
from place import Place
from small_app import REQUIREMENTS, new_version, small_app

from scenario_support import Repository

ROUNDS = 7
ORDINARY = f"{REQUIREMENTS}numpy==2.4.6\npandas==3.1.1\nrequests==2.34.2\nsqlalchemy==2.1.9\n"
"""What a small shop with a report needs. Of an app with nothing but Flask, the first build is itself nearly all starting and tidying."""
ONE_MORE = "tabulate==0.9.0\n"
PACKAGES = {
    "date-fns": "3.6.0",
    "lodash": "4.17.21",
    "luxon": "3.4.4",
    "moment": "2.30.1",
    "ramda": "0.30.1",
    "three": "0.166.1",
    "typescript": "5.5.4",
    "zod": "3.23.8",
}
"""Of some size, and without packages below them, so that a lock is short."""
SERVER = 'require("http").createServer((_, answer) => answer.end("VERSION")).listen(process.env.PORT)\n'
BY_HAND = {
    "python": """\
FROM {stack}-build AS deps
COPY app/requirements.txt .
RUN --mount=type=cache,target=/root/.cache/uv uv venv -q /venv && uv pip install -q --python /venv/bin/python -r requirements.txt
FROM {stack}
COPY --from=deps /venv /venv
WORKDIR /app
COPY app/ .
""",
    "nodejs": """\
FROM {stack}-build AS deps
WORKDIR /app
COPY app/package.json app/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --silent --omit=dev
FROM {stack}
WORKDIR /app
COPY --from=deps /app .
COPY app/ .
""",
}


def node_app(version: str, packages: Mapping[str, str] | None = None) -> dict[str, str]:
    package = {"name": "page", "version": "1.0.0", "scripts": {"start": "node server.js"}, "dependencies": packages or {}}
    locked = {f"node_modules/{name}": {"version": number} for name, number in (packages or {}).items()}
    lock = {"name": "page", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": package, **locked}}
    return {"package.json": json.dumps(package), "package-lock.json": json.dumps(lock), "server.js": SERVER.replace("VERSION", version)}


SOURCES = {"python": small_app, "nodejs": node_app}


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    rows, checks = [], []
    for language in SOURCES:
        ours, hand = _rounds(place, language, rounds)
        rows += [Row(f"{language}: a change of code, by Wherry", ours, "s"), Row(f"{language}: the same by hand", hand, "s")]
        checks.append(compare(f"{language}: rebuild / by hand", ours, hand, 1.3))
    for language, what in {"python": "Flask, pandas and SQLAlchemy", "nodejs": "TypeScript, three and six others"}.items():
        first, more = _one_more(place, language)
        rows += [Row(f"{language}: the first build, with {what}", (first,), "s"), Row(f"{language}: one dependency added", (more,), "s")]
        checks.append(Check(f"{language}: one dependency added / first build", more / first, "×", 1 / 3))
    return Figure(
        "rebuild",
        "Builds",
        "What BuildKit takes for a change of code, from a build's turn to its image, over a hand-written Dockerfile of two stages on the"
        " same base images, from the same files.",
        tuple(checks),
        tuple(rows),
    )


def _rounds(place: Place, language: str, rounds: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Both sides alternate; the first two builds of each do not count."""
    ours, hand, made = [], [], []
    with place.app(f"re{language}") as repository:
        for number in range(rounds + 2):
            place.say(f"rebuild {language}: {number - 1} of {rounds} …")
            ours.append(build(place, repository, SOURCES[language](new_version())))
            made.append(f"{place.site.name}-by-hand:{new_version()}")
            hand.append(_by_hand(place, language, SOURCES[language](new_version()), made[-1]))
    for image in made:
        with suppress(docker_socket.Refused):
            docker_socket.remove_image(image)
    return tuple(ours[2:]), tuple(hand[2:])


def _one_more(place: Place, language: str) -> tuple[float, float]:
    """Of an app of its own, whose cache is empty at first."""
    with place.app(f"onemore{language}") as repository:
        return build(place, repository, _with_packages(language, more=False)), build(place, repository, _with_packages(language, more=True))


def _with_packages(language: str, *, more: bool) -> dict[str, str]:
    if language == "nodejs":
        return node_app(new_version(), {**PACKAGES, **({"dayjs": "1.11.13"} if more else {})})
    return {**small_app(new_version()), "requirements.txt": ORDINARY + (ONE_MORE if more else "")}


def build(place: Place, repository: Repository, files: Mapping[str, str]) -> float:
    """Pushes; the seconds that the build took once its turn had come."""
    place.release(repository, files)
    told = json.loads(place.site.wherry("builds:info", repository.app, "--json").text)
    began, ended = (datetime.fromisoformat(told[name]) for name in ("began_at", "ended_at"))
    return (ended - began).total_seconds()


def _by_hand(place: Place, language: str, files: Mapping[str, str], image: str) -> float:
    dockerfile = BY_HAND[language].format(stack=_stack(place, language)).encode()
    context = {"Dockerfile": dockerfile, **{f"app/{name}": text.encode() for name, text in files.items()}}
    began = time.monotonic()
    docker_socket.build(context, image)
    return time.monotonic() - began


def _stack(place: Place, language: str) -> str:
    images = docker_socket.call("GET", "/images/json")
    prefix = f"{place.site.name}/{language}:"
    return min(tag for image in images for tag in image["RepoTags"] or [] if tag.startswith(prefix) and not tag.endswith("-build"))
