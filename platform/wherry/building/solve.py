"""What is asked of BuildKit and what comes back, as data: one build, an image, and the ways in which either fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from wherry.secret import Secret


class SolveFailed(Exception):
    """The builder's own sentence, as it came."""


class PullFailed(Exception):
    """The engine's own sentence about a registry, as it came."""


class SolveStopped(Exception):
    """The build was cancelled; `timed_out` says that nobody asked for it."""

    def __init__(self, timed_out: bool) -> None:
        super().__init__("timed out" if timed_out else "cancelled")
        self.timed_out = timed_out


@dataclass(frozen=True)
class Image:
    """What the engine knows of an image. `size` is bytes; `starts` says that it has a CMD or an ENTRYPOINT; `env` are
    its `KEY=value`; `made` is when, by RFC 3339."""

    id: str
    size: int
    user: str
    starts: bool
    ports: tuple[int, ...]
    architecture: str
    labels: dict[str, str]
    tags: tuple[str, ...]
    digests: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    made: str = ""


@dataclass(frozen=True)
class Solve:
    """One build: the tar, and what to make of it. `secrets` are those that a step may mount; no layer holds them."""

    body: Iterator[bytes]
    tag: str = ""
    dockerfile: str = "Dockerfile"
    target: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    no_cache: bool = False
    pull: bool = False
    args: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)

    def query(self, build_id: str, session: str, platform: str = "") -> dict[str, str]:
        wanted = {"t": self.tag, "target": self.target, "nocache": "1" if self.no_cache else "", "pull": "1" if self.pull else ""}
        fixed = {"version": "2", "buildid": build_id, "dockerfile": self.dockerfile, "labels": json.dumps(self.labels), "rm": "1"}
        fixed["session"] = session
        wanted |= {"buildargs": json.dumps(self.args) if self.args else "", "platform": platform}
        return fixed | {key: value for key, value in wanted.items() if value}
