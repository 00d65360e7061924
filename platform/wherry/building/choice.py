"""Decides who builds an app: classic buildpacks that it names, its Dockerfile, or one of our own buildpacks.

In this order: what the build settings say; BUILDPACK_URL, buildpacks in the settings, `.buildpacks`; a Dockerfile; buildpacks
in app.json; what the source looks like. Dokku decides alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wherry.building import classic, detect
from wherry.building.app_json import AppJSON
from wherry.building.archive import Tree
from wherry.building.buildpack import Buildpack
from wherry.building.classic import Classic
from wherry.building.detect import Detected
from wherry.building.failure import refuse
from wherry.errors import DeployFailed
from wherry.model.build_settings import BuildSettings
from wherry.secret import Secret

PROJECT = "project.toml"
CLOUD_NATIVE = re.compile(r"(?m)^\s*\[+\s*(?:_\]|build[\].]|io\.buildpacks)")
OURS = {"nodejs": ("node", "nodejs")}
"""Our buildpacks that do the work of one of Heroku's; those that are not here have the same name."""


@dataclass(frozen=True)
class Choice:
    detected: Detected
    classic: Classic | None = None


def choose(tree: Tree, packs: Sequence[Buildpack], settings: BuildSettings, config: Mapping[str, Secret], asked: AppJSON) -> Choice:
    """Raises DeployFailed when nobody can build the app, or it contradicts itself."""
    if settings.builder == "cnb":
        raise _cloud_native("the build settings ask for")
    found = classic.choose(tree, settings, config, asked.buildpacks)
    if found is not None:
        ours = _ours(found, tree, packs) if settings.builder == "" else None
        return Choice(ours) if ours else Choice(classic.detected(found, _pack(packs)), found)
    try:
        detected = _detected(tree, packs, settings)
    except DeployFailed as error:
        if error.code == "not_detected" and _is_cloud_native(tree):
            raise _cloud_native(f"{PROJECT} asks for") from error
        raise
    return Choice(_noting(detected, tree))


def _detected(tree: Tree, packs: Sequence[Buildpack], settings: BuildSettings) -> Detected:
    """What the settings ask for, else what the tree says."""
    if settings.builder == "buildpack":
        return detect.detect(tree.without(detect.DOCKERFILE), packs)
    path = settings.dockerfile or (detect.DOCKERFILE if settings.builder == "dockerfile" else "")
    if not path:
        return detect.detect(tree, packs)
    if tree.text(path) is None:
        fix = "Commit it, or change the setting: wherry build:set APP dockerfile=PATH"
        raise refuse(f"the build settings ask for {path}, which is not in the push", fix, code="no_dockerfile")
    return Detected()


def _ours(found: Classic, tree: Tree, packs: Sequence[Buildpack]) -> Detected | None:
    """When app.json only names Heroku's buildpack for a language, and ours knows the app: it does the same, without a fetch."""
    if not found.language:
        return None
    try:
        detected = detect.detect(tree, packs)
    except DeployFailed:
        return None
    if detected.buildpack is None or detected.buildpack.name not in OURS.get(found.language, (found.language,)):
        return None
    note = f"app.json names heroku/{found.language}; built by Wherry's own {detected.buildpack.title} buildpack"
    return replace(detected, notes=(*detected.notes, note))


def _noting(detected: Detected, tree: Tree) -> Detected:
    if not _is_cloud_native(tree):
        return detected
    return replace(detected, notes=(*detected.notes, f"{PROJECT} is for Cloud Native Buildpacks, which are not run here"))


def _is_cloud_native(tree: Tree) -> bool:
    return tree.has(PROJECT) and CLOUD_NATIVE.search(tree.text(PROJECT) or "") is not None


def _cloud_native(who: str) -> DeployFailed:
    return refuse(
        f"{who} Cloud Native Buildpacks, and there is no lifecycle builder image to run them here",
        "Commit a Dockerfile, or name classic buildpacks: wherry buildpacks:add APP heroku/python. Then: wherry build:unset APP builder",
        code="cnb_unavailable",
    )


def _pack(packs: Sequence[Buildpack]) -> Buildpack:
    return next(pack for pack in packs if pack.name == classic.NAME)
