"""A buildpack: a folder of data that says how apps of one language are recognised, installed and started.

    buildpacks/<name>/buildpack.toml    what to look for and what to do, read here; nothing in it is code
    buildpacks/<name>/Dockerfile        how the image is built; the stage `deps` installs dependencies
    buildpacks/<name>/install           run inside the build
    buildpacks/<name>/stack/            how the language's base images are made (see stack.py)

Templates are filled with values of this project and with values that fully match a form; never with a user's text.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class VersionRule:
    """Where an app says which version it wants. `whole`: the file holds nothing else; `range`: it is a range of versions."""

    file: str
    pattern: re.Pattern[str]
    whole: bool = False
    range: bool = False
    example: str = ""


@dataclass(frozen=True)
class Plan:
    """One way to install dependencies: taken when all `files` are there. `also` are copied when present; `follow` finds
    files that a dependency file names; `sources` tells that dependencies lie in the app's own folder."""

    name: str
    files: tuple[str, ...]
    also: tuple[str, ...] = ()
    lock: str = ""
    follow: re.Pattern[str] | None = None
    sources: re.Pattern[str] | None = None
    require: re.Pattern[str] | None = None
    otherwise: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Unready:
    """A file that tells of the language, in an app that can not be built as it is."""

    message: str
    fix: str
    file: str = ""
    glob: re.Pattern[str] | None = None


@dataclass(frozen=True)
class WebRule:
    """The web process of an app without a Procfile: `command`, when `pattern` is found in `file`. `needs` must be among
    the dependencies, or `brought` by one of them."""

    file: str
    pattern: re.Pattern[str]
    needs: str
    command: str
    what: str
    brought: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Failure:
    """A known way for an installation to fail, in one sentence with its fix."""

    pattern: re.Pattern[str]
    message: str
    fix: str


@dataclass(frozen=True)
class StackData:
    """`hub` is the official image; `offers` its versions; `own` maps a distribution to the version in its packages."""

    hub: str
    offers: tuple[str, ...]
    own: dict[str, str]


@dataclass(frozen=True)
class Buildpack:
    name: str
    folder: Path
    title: str
    order: int
    default: str
    prepare: bool
    packages: str
    stack: StackData
    versions: tuple[VersionRule, ...]
    plans: tuple[Plan, ...]
    unready: tuple[Unready, ...]
    webs: tuple[WebRule, ...]
    failures: tuple[Failure, ...]

    def template(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")


PATTERNS = frozenset({"pattern", "follow", "sources", "require", "glob", "brought"})


@functools.cache
def load_all(root: Path) -> tuple[Buildpack, ...]:
    """Every buildpack under `root`, in the order they are tried."""
    found = [load(path.parent) for path in root.glob("*/buildpack.toml")]
    return tuple(sorted(found, key=lambda pack: (pack.order, pack.name)))


def load(folder: Path) -> Buildpack:
    """Raises KeyError, TypeError or re.error for data that is not right: that is a mistake of ours, found by a test."""
    data = tomllib.loads((folder / "buildpack.toml").read_text("utf-8"))
    stack = data["stack"]
    return Buildpack(
        name=folder.name,
        folder=folder,
        title=data["title"],
        order=data["order"],
        default=data["default"],
        prepare=data.get("prepare", False),
        packages=data.get("packages", ""),
        stack=StackData(stack["hub"], tuple(stack["offers"]), dict(stack["own"])),
        versions=tuple(VersionRule(**_typed(entry)) for entry in data.get("version", ())),
        plans=tuple(Plan(**_typed(entry)) for entry in data["plan"]),
        unready=tuple(Unready(**_typed(entry)) for entry in data.get("unready", ())),
        webs=tuple(WebRule(**_typed(entry)) for entry in data.get("web", ())),
        failures=tuple(Failure(**_typed(entry)) for entry in data.get("failure", ())),
    )


def fill(template: str, values: Mapping[str, str | bool]) -> str:
    """Puts values in their `{{places}}`; keeps what lies between `{{#name}}` and `{{/name}}` when `name` is true.
    Raises KeyError for a place that nothing fills."""
    for name, value in values.items():
        if isinstance(value, bool):
            template = re.sub(rf"{{{{#{name}}}}}\n(.*?){{{{/{name}}}}}\n", r"\1" if value else "", template, flags=re.DOTALL)
    return re.sub(r"\{\{([a-z_]+)\}\}", lambda match: str(values[match[1]]), template)


def _typed(entry: dict[str, Any]) -> dict[str, Any]:
    compiled = {key: re.compile(value) for key, value in entry.items() if key in PATTERNS}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()} | compiled
