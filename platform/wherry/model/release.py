"""A release: build + config, numbered v1, v2 …, never edited. A rollback is a new release."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from wherry.errors import InvalidInput
from wherry.model.app import App
from wherry.model.build import Build
from wherry.model.process import quantities
from wherry.model.shape import Shape


@dataclass(frozen=True)
class Release:
    """`config` holds the config vars in force, global ones too. `outcome` is None until it is known, then `live` or `failed`;
    it is a row beside the release, not a part of it, and `reason` says why it failed. `operation` is the number of the
    operation that made it, None when it needed none."""

    id: int
    app_id: int
    number: int
    build: Build
    config: dict[str, str]
    description: str
    actor: str
    created_at: str
    outcome: str | None = None
    reason: str = ""
    shape: Shape = field(default_factory=Shape)
    operation: int | None = None

    @property
    def version(self) -> str:
        return f"v{self.number}"

    @property
    def own_config(self) -> dict[str, str]:
        """The config vars that were the app's own; the others were global."""
        return {key: value for key, value in self.config.items() if key not in self.shape.global_keys}


def wished_quantities(app: App, release: Release) -> dict[str, int]:
    """How many instances of each process type should run: as scaled, else as the source's `app.json` asks, else Heroku's default."""
    return quantities(release.build.processes, {**release.build.formation, **app.formation})


def code_of(release: Release) -> tuple[Any, ...]:
    """What a rollback brings back. Equal for two releases when going from one to the other would change nothing."""
    build, shape = release.build, release.shape
    return build.image, build.processes, build.checks, release.config, shape.checks, shape.limits


def place_of(release: Release) -> tuple[Any, ...]:
    """What a rollback brings back only when there is no other code to go to: how many instances run, and at which domains."""
    shape = release.shape
    return shape.formation, set(shape.domains), shape.default_host


def serves(release: Release, app: App, tree: str) -> bool:
    """Whether `release`, the one that the instances carry, is live with this tree and with the app's present config,
    checks, limits and build settings: a deploy of it would bring nothing new."""
    built = release.build.tree == tree and release.build.settings == app.build
    set_so = (release.config, release.shape.checks, release.shape.limits) == (app.environment, app.checks, app.limits)
    return built and set_so and release.outcome == "live"


def parse_version(text: str) -> int:
    """Reads `v12` or `12`. Raises InvalidInput otherwise."""
    match = re.fullmatch(r"v?([1-9][0-9]{0,8})", text)
    if not match:
        raise InvalidInput(f"release {text[:40]!a}: give a version like v3 (see: wherry releases APP)", field="release")
    return int(match[1])
