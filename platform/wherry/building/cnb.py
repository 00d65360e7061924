"""Decides whether Cloud Native Buildpacks build an app, by which builder image, in which order and with what.

Source of the rules: buildpacks.io, "Project Descriptor" (`project.toml`, schema 0.2, and 0.1 as heroku.com still has it), "Platform
Interface Specification" (labels of a builder, process types in `metadata.toml`).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wherry.building import config_files, slugignore
from wherry.building.archive import Tree
from wherry.building.context import Context
from wherry.building.failure import refuse, shown
from wherry.errors import DeployFailed, InvalidInput
from wherry.model.build_settings import BuildSettings
from wherry.model.origin import ImageName, parse_image
from wherry.secret import Secret

if TYPE_CHECKING:
    from wherry.building.solve import Image

NAME = "cnb"
PROJECT = "project.toml"
SETTING, PLATFORM = "the build settings", "WHERRY_CNB_BUILDER"
PLACE = "/cnb/process/"
APIS = ("0.14", "0.13", "0.12", "0.11", "0.10", "0.9", "0.8", "0.7")
"""The platform APIs that the script in `buildpacks/cnb` speaks, the one that is liked best first."""
ID = r"[a-z0-9][A-Za-z0-9._/-]{0,99}"
VERSION = r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,49}"
METADATA, USER, GROUP = "io.buildpacks.builder.metadata", "CNB_USER_ID", "CNB_GROUP_ID"
INVALID = "project_toml_invalid"
KNOWN = ("builder", "include", "exclude", "group", "build")
UNSUPPORTED = {
    "pre": "Name all buildpacks, in their order, in io.buildpacks.group.",
    "post": "Name all buildpacks, in their order, in io.buildpacks.group.",
    "extensions": "Build with a Dockerfile what needs packages of the system.",
}
"""Without these the image would be another one than the app asks for, so they are refused, each with the way out."""


@dataclass(frozen=True)
class CloudNative:
    """`builder` is the builder image, `origin` says who named it; `order` are buildpacks of it, as (id, version or empty), where
    the app names some; `env` is for the build. Of `include` (only these files) and `exclude` (all but these) at most one is there;
    `unknown` are keys of `project.toml` without effect."""

    builder: ImageName
    origin: str
    order: tuple[tuple[str, str], ...] = ()
    env: dict[str, Secret] = field(default_factory=dict)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def keeps(self, names: Iterable[str]) -> list[str]:
        """Those of an app's files that its `include` or `exclude` let into the build."""
        rules = slugignore.parse("\n".join(self.include or self.exclude))
        return [name for name in names if rules(name) == bool(self.include)] if self.include or self.exclude else list(names)


@dataclass(frozen=True)
class Lifecycle:
    """What a builder image says of itself: the platform API to speak, the image that apps run on, whose files are whose."""

    api: str
    run: str
    user: int
    group: int


def choose(tree: Tree, settings: BuildSettings, platform_builder: str) -> CloudNative | None:
    """None when the app is built by others. Raises DeployFailed for a `project.toml` that can not be read, and when nobody names
    a builder image."""
    if (settings.builder and not asked_for(settings)) or (settings.dockerfile and not settings.builder):
        return None
    project = _read(tree)
    named = ((settings.builder.partition(":")[2], SETTING), (project.get("builder"), PROJECT), (platform_builder, PLATFORM))
    image, where = next(((image, where) for image, where in named if image), ("", ""))
    if not asked_for(settings) and not (image and project):
        return None
    if not image:
        raise unavailable(f"{SETTING} ask for")
    _refuse_unsupported(project)
    include, exclude = _patterns(project, "include"), _patterns(project, "exclude")
    unknown = tuple(f"io.buildpacks.{shown(key)}" for key in project if key not in KNOWN)
    return CloudNative(_image(image, where), where, _order(project), _env(project), include, exclude, unknown)


def asked_for(settings: BuildSettings) -> bool:
    return settings.builder.partition(":")[0] == NAME


def unavailable(who: str) -> DeployFailed:
    return refuse(
        f"{who} Cloud Native Buildpacks, and there is no lifecycle builder image to run them here",
        "Name one: wherry build:set APP builder=cnb:heroku/builder:24, or for all apps: "
        "WHERRY_CNB_BUILDER=heroku/builder:24 scripts/up. Or let Wherry build the app: wherry build:set APP builder=buildpack",
        code="cnb_unavailable",
    )


def heading(found: CloudNative) -> str:
    return f"-----> Cloud Native Buildpacks of {shown(found.builder.text, 100)} ({found.origin})"


def order_toml(found: CloudNative) -> str:
    versions = {True: "", False: 'version = "{}"\n'}
    entries = "".join(f'\n[[order.group]]\nid = "{name}"\n{versions[not version].format(version)}' for name, version in found.order)
    return f"[[order]]\n{entries}"


def context(found: CloudNative, tree: Tree, kept: list[str], packs: Path, config: Mapping[str, Secret]) -> Context:
    """The app's files, the scripts and the config vars; without a Dockerfile, which takes the builder image to write."""
    made = Context()
    made.add_tree("app/", tree, found.keeps(kept))
    made.add_folder_entry("app")
    for name in ("create", "start"):
        made.add_text(f"buildpack/{name}", (packs / NAME / name).read_bytes())
    if found.order:
        made.add_text("buildpack/order.toml", order_toml(found).encode())
    config_files.add(made, {**found.env, **config})
    return made


def lifecycle_of(builder: Image, name: str) -> Lifecycle:
    """Raises DeployFailed for an image that is no builder, or speaks none of our APIs."""
    try:
        told = json.loads(builder.labels[METADATA])
        environment = dict(entry.partition("=")[::2] for entry in builder.env)
        apis = _apis(told["lifecycle"])
        runs = [image.get("image", "") for image in told.get("images") or ()]
        run = str(((told.get("stack") or {}).get("runImage") or {}).get("image") or runs[0])
        made = Lifecycle(next((api for api in APIS if api in apis), ""), run, int(environment[USER]), int(environment[GROUP]))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        fix = "Name another, e.g. heroku/builder:24."
        raise refuse(f"{name} is no builder image for Cloud Native Buildpacks", fix, code="cnb_unavailable") from error
    if not made.api:
        message = f"the lifecycle in {name} is of another time: it speaks {', '.join(apis) or 'nothing that we know'}"
        raise refuse(message, f"Take a builder that speaks one of {APIS[-1]} to {APIS[0]}.", code="cnb_unavailable")
    _image(made.run, name)
    return made


def processes(metadata: bytes) -> dict[str, str]:
    """The process types from the `metadata.toml` that the build left. What the buildpacks start by default is `web` where none is
    called so. Raises DeployFailed when there are none."""
    told = tomllib.loads(metadata.decode("utf-8", "replace")).get("processes") or []
    found = {entry["type"]: f"{PLACE}{entry['type']}" for entry in told if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", entry["type"])}
    default = next((entry["type"] for entry in told if entry.get("default") and entry["type"] in found), "")
    if default and "web" not in found:
        found["web"] = found[default]
    if not found:
        message = "nothing says what to run: the buildpacks name no process, and there is no Procfile"
        raise refuse(message, 'Commit a Procfile, e.g. "web: ./server", for builders that read one.', code="no_process")
    return found


def _apis(lifecycle: Mapping[str, Any]) -> list[str]:
    """New builders list what they speak; older ones name one."""
    listed = ((lifecycle.get("apis") or {}).get("platform") or {}).get("supported")
    return [str(api) for api in listed] if listed else [str((lifecycle.get("api") or {})["platform"])]


def _read(tree: Tree) -> dict[str, Any]:
    """The table `io.buildpacks` of `project.toml`; in the older schema it is called `build`."""
    if not tree.has(PROJECT):
        return {}
    try:
        told = tomllib.loads(tree.text(PROJECT) or "")
    except tomllib.TOMLDecodeError as error:
        raise refuse(f"{PROJECT} can not be read: {shown(str(error), 120)}", "Correct this place.", code=INVALID) from error
    found = (told.get("io") or {}).get("buildpacks") if isinstance(told.get("io"), dict) else None
    old = told.get("build")
    found = found if isinstance(found, dict) else _older(old) if isinstance(old, dict) else {}
    return {key: value for key, value in found.items() if value}


def _older(build: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 0.1 has all of it in one table."""
    return {"group": build.get("buildpacks"), "build": build} | {key: build.get(key) for key in ("builder", "include", "exclude")}


def _refuse_unsupported(project: Mapping[str, Any]) -> None:
    for key, fix in UNSUPPORTED.items():
        if key in project:
            raise refuse(f"{PROJECT}: io.buildpacks.{key} is not supported", fix, code=INVALID)


def _patterns(project: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = project.get(key) or []
    if not isinstance(found, list) or not all(isinstance(one, str) and one.strip() and "\n" not in one for one in found):
        raise refuse(f'{PROJECT}: {key} is a list of patterns, e.g. {key} = ["/docs", "*.md"]', "Correct it.", code=INVALID)
    if any(one.startswith("!") for one in found):
        raise refuse(f'{PROJECT}: patterns of {key} can not begin with "!"', "Name what is meant without it.", code=INVALID)
    if key == "exclude" and found and project.get("include"):
        raise refuse(f"{PROJECT} has include and exclude", "Keep one of them.", code=INVALID)
    return tuple(found)


def _image(text: object, where: str) -> ImageName:
    try:
        return parse_image(str(text))
    except InvalidInput as error:
        raise refuse(f"{where}: {error.message}", "Correct it.", code="cnb_unavailable") from error


def _order(project: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    group = project.get("group") or []
    if not isinstance(group, list) or not all(isinstance(entry, dict) for entry in group):
        raise refuse(f"{PROJECT}: [[io.buildpacks.group]] is a list of tables with an id", "Correct it.", code=INVALID)
    return tuple(_named(entry) for entry in group)


def _named(entry: Mapping[str, Any]) -> tuple[str, str]:
    name, version = str(entry.get("id", "")), str(entry.get("version", ""))
    if "uri" in entry or not re.fullmatch(ID, name) or (version and not re.fullmatch(VERSION, version)):
        what = shown(str(entry.get("uri", name)) or "one without an id")
        fix = 'Name one of the builder image by its id, e.g. id = "heroku/python"; others are not fetched.'
        raise refuse(f"{PROJECT} names the buildpack {what}, which is no id of a buildpack in the builder", fix, code=INVALID)
    return name, version


def _env(project: Mapping[str, Any]) -> dict[str, Secret]:
    build = project.get("build") if isinstance(project.get("build"), dict) else {}
    listed = (build or {}).get("env") or []
    entries = listed if isinstance(listed, list) else []
    named = [(entry.get("name"), entry.get("value")) for entry in entries if isinstance(entry, dict)]
    if len(named) != len(entries) or not all(isinstance(name, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name, _ in named):
        raise refuse(f"{PROJECT}: [[io.buildpacks.build.env]] is a list of tables with name and value", "Correct it.", code=INVALID)
    return {str(name): Secret(str(value)) for name, value in named}
