"""An app: a name, the wish for how many instances run, and which release is current."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from wherry.errors import InvalidInput
from wherry.model.build_settings import BuildSettings
from wherry.model.front import Front
from wherry.model.lock import Lock
from wherry.model.volume import Volume

RESERVED = frozenset({"api", "wherry", "admin", "www", "help", "git", "ssh", "dashboard", "static", "new", "all"})
MAX_NAME = 30
EVERYTHING = "*"
"""The scope that means all instances of an app."""


@dataclass(frozen=True)
class App:
    """`release` is the number of the current release, None before the first deploy; `running` that of the release whose
    image, config, checks and limits its instances carry: an earlier one when the releases since left instances alone
    (a scale, a domain, `config:set --no-restart`). `formation` maps process type to quantity; a type that is absent takes
    its default (web 1, others 0). `restarts` counts wished restarts per scope: `*`, `web`, `web.1`. `held` lists the scopes
    that a person stopped: they stay down until they are started. `domains` are its own hosts in the order they were added,
    `certified` the names of the certificates in force for it, `front` how it meets visitors. `limits`, `checks` and
    `mounts` are what a person set beside what the source says. `labels` are its owner's own words for it; `lock` is there
    while nobody may change it. `config` are its own config vars, `shared` the global ones. `volumes` are its disks, mounted
    or not."""

    id: int
    name: str
    created_at: str
    created_by: str
    release: int | None = None
    running: int | None = None
    formation: dict[str, int] = field(default_factory=dict)
    config: dict[str, str] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    limits: dict[str, Any] = field(default_factory=dict)
    checks: dict[str, Any] = field(default_factory=dict)
    mounts: list[Any] = field(default_factory=list)
    build: BuildSettings = field(default_factory=BuildSettings)
    domains: tuple[str, ...] = ()
    certified: tuple[str, ...] = ()
    front: Front = field(default_factory=Front)
    labels: dict[str, str] = field(default_factory=dict)
    lock: Lock | None = None
    restart_policy: str = "always"
    shared: dict[str, str] = field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """The config vars that its next release would have: the global ones below its own."""
        return {**self.shared, **self.config}

    @property
    def stopped(self) -> bool:
        """Whether the app as a whole was stopped."""
        return EVERYTHING in self.held

    def holds(self, process_type: str, index: int) -> bool:
        """Whether a person stopped this instance, its type or the app."""
        return any(scope in self.held for scope in (EVERYTHING, process_type, f"{process_type}.{index}"))

    def generation(self, process_type: str, index: int) -> int:
        """How many restarts were wished for this instance; a higher number than a container's label replaces it."""
        scopes = (EVERYTHING, process_type, f"{process_type}.{index}")
        return sum(self.restarts.get(scope, 0) for scope in scopes)


def check_name(name: str) -> str:
    """Returns `name` when it is an app name; raises InvalidInput with the allowed form and an example."""
    if name in RESERVED:
        raise InvalidInput(f'app name "{name}" is reserved: choose another, e.g. my-{name}', field="name")
    if not re.fullmatch(r"[a-z]([0-9a-z-]{0,28}[0-9a-z])?", name):
        shown = ascii(name[:40])[1:-1].replace('"', '\\"')
        raise InvalidInput(f'app name "{shown}": use a-z, 0-9 and "-", 1-30 characters, starting with a letter (e.g. my-app)', field="name")
    return name
