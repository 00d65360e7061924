"""What the platform asks of a builder: a pushed archive becomes an image, or a reason why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from wherry.building.app_json_env import EnvVar
from wherry.model.build_settings import BuildSettings
from wherry.model.check import HealthCheck
from wherry.model.cron import CronTask
from wherry.model.disk import Layers
from wherry.model.origin import ImageName
from wherry.secret import Secret

Line = Callable[[str], None]
"""Takes one line for the person who pushed, without an end of line. Headings start with `-----> `, details with
seven spaces, warnings and errors with ` !     ` (Heroku's form)."""

Keep = Callable[[dict[str, Secret]], dict[str, Secret]]
"""Keeps config vars for an app that has none of these names; returns what it has under them then."""


def _as_given(made: dict[str, Secret]) -> dict[str, Secret]:
    return made


@dataclass(frozen=True)
class Source:
    """A pushed tree. `archive` is the uncompressed tar that `git archive` wrote, paths relative to the root. `settings`
    say how the app wishes to be built; `config` holds its config vars, which a build may see and must not keep. `built` are the images
    (`sha256:…`) that this app was built into before, the newest first. `keep` is given the config vars that the build makes up."""

    app: str
    commit: str
    tree: str
    archive: Path
    settings: BuildSettings = field(default_factory=BuildSettings)
    config: dict[str, Secret] = field(default_factory=dict)
    built: tuple[str, ...] = ()
    keep: Keep = _as_given


@dataclass(frozen=True)
class Built:
    """What came out. `image` is the id (`sha256:…`), tagged so that no clean-up of others takes it. `root` says the
    image starts as root; `port` is what a Dockerfile EXPOSEs when it is exactly one, else None. `formation` is what
    `app.json` asks for on the first deploy, `sizes` the sizes that it names, `scripts` and `cron` what it wants run later (see Build)."""

    image: str
    buildpack: str
    size: int
    processes: dict[str, str]
    checks: dict[str, tuple[HealthCheck, ...]] = field(default_factory=dict)
    formation: dict[str, int] = field(default_factory=dict)
    root: bool = False
    port: int | None = None
    scripts: dict[str, str] = field(default_factory=dict)
    cron: tuple[CronTask, ...] = ()
    sizes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Login:
    """Who we are at a registry."""

    user: str
    password: Secret


@dataclass(frozen=True)
class Fetched:
    """An image of somebody else's that is on this machine now. `digest` is the registry's (`sha256:…`); `brought` says that it was
    not here under this name before."""

    name: ImageName
    image: str
    digest: str
    brought: bool = True


@dataclass(frozen=True)
class Stored:
    """This platform's images by their ids, with their layers: those of `apps`, whose `app_of` says, and the `base` images under them.
    `cache` is the bytes of the engine's build cache, whoever filled it."""

    apps: dict[str, Layers] = field(default_factory=dict)
    base: dict[str, Layers] = field(default_factory=dict)
    app_of: dict[str, str] = field(default_factory=dict)
    cache: int = 0


@dataclass(frozen=True)
class Outline:
    """What a build would come to. `processes` is None when only the image can tell."""

    buildpack: str
    processes: dict[str, str] | None
    formation: dict[str, int] = field(default_factory=dict)


class Builder(Protocol):
    def env(self, source: Source) -> dict[str, EnvVar]:
        """The config vars that the `app.json` of `source` asks for. Raises DeployFailed when it can not be read."""

    def outline(self, source: Source, line: Line) -> Outline:
        """Says what a build of `source` would do, and builds nothing. Raises DeployFailed for what could not be built."""

    def fetch(self, name: ImageName, login: Login | None, line: Line, cancelled: Callable[[], bool] = lambda: False) -> Fetched:
        """Gets an image from its registry, or from this machine what no registry gives. Raises NotFound, Forbidden or Unavailable in
        the registry's sense, DeployFailed for an image that was made for an app."""

    def load(self, name: ImageName, archive: Path, line: Line, cancelled: Callable[[], bool] = lambda: False) -> Fetched:
        """Gets the image of `archive`, which has it as `name` and no other. Raises DeployFailed for what the engine does not take, and
        for an image that was made for an app."""

    def adopt(self, app: str, fetched: Fetched, line: Line) -> Built:
        """Makes the image the app's own, so that it stays as long as a release needs it. Raises DeployFailed when it can
        not run here or has nothing to run. Whoever fetched it still lets go of it."""

    def let_go(self, fetched: Fetched) -> None:
        """Leaves the machine as it was before `fetch`, but for what was adopted."""

    def check_login(self, server: str, login: Login) -> None:
        """Raises Forbidden when the registry refuses it, Unavailable when it does not answer."""

    def forget(self, images: set[str]) -> None:
        """Removes what was kept for builds upon `images` alone, which will be removed next."""

    def stored(self) -> Stored:
        """What is there now. Blocks for a moment, on old engines for some seconds."""

    def disk(self) -> Path:
        """A folder on the disk that images lie on."""

    def prune(self, keep: Callable[[], set[str] | None]) -> int:
        """Removes this platform's images that are not in `keep` and not in use, and what is too much of the build cache; nothing
        when it answers None. `keep` is asked once it is known which images there are, so that one that is made meanwhile stays.
        Returns the bytes of cache that came free."""

    def build(self, source: Source, line: Line, *, no_cache: bool = False, cancelled: Callable[[], bool] = lambda: False) -> Built:
        """Raises DeployFailed with a code, a sentence, the fix and the last lines of the build as evidence.
        Blocks; polls `cancelled` and stops the build at the engine when it says so."""
