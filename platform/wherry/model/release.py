"""A release: build + config, numbered v1, v2 …, never edited. A rollback is a new release."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wherry.errors import InvalidInput
from wherry.model.app import App
from wherry.model.build import Build
from wherry.model.process import quantities


@dataclass(frozen=True)
class Release:
    """`config` holds the config vars in force. `outcome` is None until it is known, then `live` or `failed`;
    it is a row beside the release, not a part of it, and `reason` says why it failed."""

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

    @property
    def version(self) -> str:
        return f"v{self.number}"


def wished_quantities(app: App, release: Release) -> dict[str, int]:
    """How many instances of each process type should run: as scaled, else as the source's `app.json` asks, else Heroku's default."""
    return quantities(release.build.processes, {**release.build.formation, **app.formation})


def serves(release: Release, app: App, tree: str) -> bool:
    """Whether `release` is live with this tree, the app's present config and its present build settings: a deploy of it
    would bring nothing new."""
    built = release.build.tree == tree and release.build.settings == app.build
    return built and release.config == app.config and release.outcome == "live"


def parse_version(text: str) -> int:
    """Reads `v12` or `12`. Raises InvalidInput otherwise."""
    match = re.fullmatch(r"v?([1-9][0-9]{0,8})", text)
    if not match:
        raise InvalidInput(f"release {text[:40]!a}: give a version like v3 (see: wherry releases APP)", field="release")
    return int(match[1])
