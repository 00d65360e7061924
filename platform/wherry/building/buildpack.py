"""A buildpack: a folder of data that says how apps of one language are recognised, installed and started.

    buildpacks/<name>/buildpack.toml    what to look for and what to do, read here; nothing in it is code
    buildpacks/<name>/Dockerfile        how the image is built; the stage `deps` installs dependencies
    buildpacks/<name>/install           run inside the build, like every other script that lies beside it; what a script
                                        prints as `wherry: …` is told to the person who pushed
    buildpacks/failures.toml            what goes wrong in the builds of every language
    buildpacks/<name>/stack/            how the language's base images are made (see stack.py)

Templates are filled with values of this project and with values that fully match a form; never with a user's text.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wherry.building.look import Look

ANYTHING = re.compile("")


@dataclass(frozen=True)
class VersionRule:
    """Where an app says which version it wants. `whole`: the file holds nothing else; `range`: it is a range of versions;
    `key` leads to it in a JSON file; `names` are other words for versions, such as `lts/*`. `least`: older ones than are
    offered are asked for as the least there must be, so the default does; `sign` is put before what was found. A group of
    `pattern` named `patch` holds the whole of a version that names its patch. `form` is what to write there for a `{version}`."""

    file: str
    pattern: re.Pattern[str]
    whole: bool = False
    range: bool = False
    example: str = ""
    key: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    least: bool = False
    sign: str = ""
    form: str = ""


@dataclass(frozen=True)
class Plan:
    """One way to install dependencies: taken when all `files` are there, all of `when` is found and nothing of `unless`.
    `also` are copied when present, and so are paths that fully match `gather`; `follow` finds files that a dependency file
    names; `sources` tells that dependencies lie in the app's own folder. `by` names the buildpack that builds what this
    one serves, `template` is the Dockerfile of this plan, and `what` a word for the heading. The files of a `bare` one list
    no dependencies. The `lock` of a `json` one must be a JSON object. What a `layered` one installs may be built upon by the next
    build, where the buildpack knows how."""

    name: str
    files: tuple[str, ...]
    also: tuple[str, ...] = ()
    lock: str = ""
    follow: re.Pattern[str] | None = None
    sources: re.Pattern[str] | None = None
    require: re.Pattern[str] | None = None
    otherwise: str = ""
    fix: str = ""
    when: tuple[Look, ...] = ()
    unless: tuple[Look, ...] = ()
    gather: re.Pattern[str] | None = None
    by: str = ""
    template: str = "Dockerfile"
    what: str = ""
    bare: bool = False
    json: bool = False
    layered: bool = True


@dataclass(frozen=True)
class Flag:
    """Something about an app that its Dockerfile template asks for: true when all of `when` is found and nothing of `unless`."""

    name: str
    when: tuple[Look, ...] = ()
    unless: tuple[Look, ...] = ()


@dataclass(frozen=True)
class Note:
    """A line for the person who pushed, when all of `when` is found and nothing of `unless`. `plans` limits it to these.
    One with `config` is a warning, for an app that lacks this config var."""

    text: str
    when: tuple[Look, ...] = ()
    unless: tuple[Look, ...] = ()
    plans: tuple[str, ...] = ()
    config: str = ""


@dataclass(frozen=True)
class Generated:
    """A config var of so many random hexadecimal `digits`, for an app that has none, when all of `when` is found and nothing of
    `unless`. One that has the config var `without` finds its own with that. `why` is told in brackets."""

    config: str
    digits: int
    why: str
    when: tuple[Look, ...] = ()
    unless: tuple[Look, ...] = ()
    without: str = ""


@dataclass(frozen=True)
class Shortcut:
    """A command that only starts another one: what fully matches `pattern` stands for the value at `key` in the JSON `file`,
    with `{1}` filled in. Neither of `unless` may be there: then the command does more. Nor may the value hold `not_plain`."""

    file: str
    pattern: re.Pattern[str]
    key: tuple[str, ...]
    unless: tuple[tuple[str, ...], ...] = ()
    not_plain: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Unready:
    """A file that tells of the language, in an app that can not be built as it is."""

    message: str
    fix: str
    file: str = ""
    glob: re.Pattern[str] | None = None


@dataclass(frozen=True)
class WebRule:
    """The web process of an app without a Procfile: `command`, when `pattern` is found in `file`, or in the value at `key`
    of its JSON. `needs` must be among the dependencies, or `brought` by one of them, else later rules are tried; `names` is
    a group of the match that must be a file of the app."""

    file: str
    command: str
    what: str
    pattern: re.Pattern[str] = ANYTHING
    needs: str = ""
    brought: re.Pattern[str] | None = None
    key: tuple[str, ...] = ()
    names: int = 0


@dataclass(frozen=True)
class ProgramRule:
    """Where a compiled language's programs show: a path that fully matches `path`, in a file that holds `pattern` and not
    `unless`. A program is called like the group `name` of the path, or like each match of `named` in `file` (`{folder}` in
    it is the group `folder` of the path). A `last` rule is asked when the others found nothing."""

    path: re.Pattern[str]
    pattern: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    file: str = ""
    named: re.Pattern[str] | None = None
    last: bool = False


@dataclass(frozen=True)
class Failure:
    """A known way for a build to fail, in one sentence with its fix; `{1}` and the like are groups of `pattern`. `code` is
    the error's, of docs/errors.md."""

    pattern: re.Pattern[str]
    message: str
    fix: str
    code: str


@dataclass(frozen=True)
class StackData:
    """`hub` is the official image; `offers` its versions; `own` maps a distribution to the version in its packages, which is
    the default there, unless `same_default` says that every machine has the same. `later`: versions that come after those
    are tried too; `apart`: the run image is made without the build image, not below it. `patches`: there is an
    official image of each patch version too, and apps may insist on one."""

    hub: str
    offers: tuple[str, ...]
    own: dict[str, str]
    same_default: bool = False
    later: bool = False
    apart: bool = False
    patches: bool = False


@dataclass(frozen=True)
class Buildpack:
    """`start` is the way out of an app in which no web process is recognised; lines of a failed build that are all `noise`
    are not shown as its evidence."""

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
    versioned: bool = True
    serves: bool = False
    leave_out: re.Pattern[str] | None = None
    flags: tuple[Flag, ...] = ()
    notes: tuple[Note, ...] = ()
    generated: tuple[Generated, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    programs: tuple[ProgramRule, ...] = ()
    wanted: Look | None = None
    start: str = ""
    noise: re.Pattern[str] | None = None

    def template(self, name: str) -> str:
        """A template of this folder, with those that it includes put in."""
        text = (self.folder / name).read_text("utf-8")
        return re.sub(r"\{\{include ([a-zA-Z0-9./]+)\}\}\n", lambda match: (self.folder.parent / match[1]).read_text("utf-8"), text)

    def scripts(self) -> dict[str, bytes]:
        """What is run inside the build, by name."""
        found = [path for path in sorted(self.folder.iterdir()) if path.is_file() and not path.suffix and path.name != "Dockerfile"]
        return {path.name: path.read_bytes() for path in found}


PATTERNS = frozenset({"pattern", "follow", "sources", "require", "glob", "brought", "gather", "not_plain", "path", "named"})


@functools.cache
def load_all(root: Path) -> tuple[Buildpack, ...]:
    """Every buildpack under `root`, in the order they are tried."""
    found = [load(path.parent) for path in root.glob("*/buildpack.toml")]
    return tuple(sorted(found, key=lambda pack: (pack.order, pack.name)))


def load(folder: Path) -> Buildpack:
    """Raises KeyError, TypeError or re.error for data that is not right: that is a mistake of ours, found by a test."""
    data = tomllib.loads((folder / "buildpack.toml").read_text("utf-8"))
    common = tomllib.loads((folder.parent / "failures.toml").read_text("utf-8"))
    stack = data["stack"]
    return Buildpack(
        name=folder.name,
        folder=folder,
        title=data["title"],
        order=data["order"],
        default=data["default"],
        prepare=data.get("prepare", False),
        packages=data.get("packages", ""),
        stack=StackData(**{**stack, "offers": tuple(stack["offers"])}),
        versions=tuple(VersionRule(**_typed(entry)) for entry in data.get("version", ())),
        plans=tuple(Plan(**_typed(entry)) for entry in data["plan"]),
        unready=tuple(Unready(**_typed(entry)) for entry in data.get("unready", ())),
        webs=tuple(WebRule(**_typed(entry)) for entry in data.get("web", ())),
        failures=tuple(Failure(**_typed(entry)) for entry in (*data.get("failure", ()), *common["failure"])),
        versioned=data.get("versioned", True),
        serves=data.get("serves", False),
        leave_out=re.compile(data["leave_out"]) if "leave_out" in data else None,
        flags=tuple(Flag(**_typed(entry)) for entry in data.get("flag", ())),
        notes=tuple(Note(**_typed(entry)) for entry in data.get("note", ())),
        generated=tuple(Generated(**_typed(entry)) for entry in data.get("generated", ())),
        shortcuts=tuple(Shortcut(**_typed(entry)) for entry in data.get("shortcut", ())),
        programs=tuple(ProgramRule(**_typed(entry)) for entry in data.get("program", ())),
        wanted=Look(**_typed(data["wanted"])) if "wanted" in data else None,
        start=data.get("start", ""),
        noise=re.compile(data["noise"]) if "noise" in data else None,
    )


def fill(template: str, values: Mapping[str, str | bool]) -> str:
    """Puts values in their `{{places}}`; keeps what lies between `{{#name}}` and `{{/name}}` when `name` is true, and
    between `{{^name}}` and `{{/name}}` when it is not. Raises KeyError for a place that nothing fills."""
    for name, value in values.items():
        for sign, kept in (("#", value is True), ("\\^", value is False)) if isinstance(value, bool) else ():
            template = re.sub(rf"{{{{{sign}{name}}}}}\n(.*?){{{{/{name}}}}}\n", r"\1" if kept else "", template, flags=re.DOTALL)
    return re.sub(r"\{\{([a-z_]+)\}\}", lambda match: str(values[match[1]]), template)


def _typed(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry with its patterns compiled, its lists as tuples, and what it looks for as Looks."""
    return {key: _value(key, value) for key, value in entry.items()}


def _value(key: str, value: Any) -> Any:
    if key in PATTERNS:
        return re.compile(value)
    if key in ("when", "unless") and value and isinstance(value[0], dict):
        return tuple(Look(**_typed(look)) for look in value)
    if key == "unless" and isinstance(value, str):
        return re.compile(value)
    return tuple(_value("", inner) for inner in value) if isinstance(value, list) else value
