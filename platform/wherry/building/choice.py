"""Decides who builds an app: classic buildpacks that it names, its Dockerfile, or one of our own buildpacks.

In this order: what the build settings say; BUILDPACK_URL, buildpacks in the settings, `.buildpacks`; a Dockerfile; a
`project.toml` for Cloud Native Buildpacks; buildpacks in app.json; what the source looks like. Dokku decides alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wherry.building import classic, cnb, detect
from wherry.building.app_json import AppJSON
from wherry.building.archive import Tree
from wherry.building.buildpack import Buildpack
from wherry.building.classic import Classic
from wherry.building.cnb import CloudNative
from wherry.building.detect import Detected
from wherry.building.dockerfile import DOCKERFILE
from wherry.building.failure import refuse
from wherry.errors import DeployFailed
from wherry.model.build_settings import BuildSettings
from wherry.secret import Secret

CLOUD_NATIVE = re.compile(r"(?m)^\s*\[+\s*(?:_\]|build[\].]|io\.buildpacks)")
OURS = {"nodejs": ("node", "nodejs")}
"""Our buildpacks that do the work of one of Heroku's; those that are not here have the same name."""


@dataclass(frozen=True)
class Choice:
    detected: Detected
    classic: Classic | None = None
    cnb: CloudNative | None = None


def choose(
    tree: Tree, packs: Sequence[Buildpack], settings: BuildSettings, config: Mapping[str, Secret], asked: AppJSON, cnb_builder: str
) -> Choice:
    """`cnb_builder` is the platform's builder image for Cloud Native Buildpacks. Raises DeployFailed when nobody can build the
    app, or it contradicts itself."""
    if cnb.asked_for(settings) or not (tree.has(DOCKERFILE) or tree.has(classic.FILE) or settings.buildpacks):
        native = cnb.choose(tree, settings, cnb_builder)
        if native is not None:
            return Choice(Detected(), cnb=native)
    found = classic.choose(tree, settings, config, asked.buildpacks)
    if found is not None:
        ours = _ours(found, tree, packs) if settings.builder == "" else None
        return Choice(ours) if ours else Choice(classic.detected(found, _pack(packs)), found)
    try:
        detected = _detected(tree, packs, settings)
    except DeployFailed as error:
        if error.code == "not_detected" and _is_cloud_native(tree):
            raise cnb.unavailable(f"{cnb.PROJECT} asks for") from error
        raise
    return Choice(_noting(detected, tree))


def _detected(tree: Tree, packs: Sequence[Buildpack], settings: BuildSettings) -> Detected:
    """What the settings ask for, else what the tree says."""
    if settings.builder == "buildpack":
        return detect.detect(tree.without(DOCKERFILE), packs)
    path = settings.dockerfile or (DOCKERFILE if settings.builder == "dockerfile" else "")
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
    return replace(detected, notes=(*detected.notes, f"{cnb.PROJECT} names Cloud Native Buildpacks and no builder, so they are not run"))


def _is_cloud_native(tree: Tree) -> bool:
    return tree.has(cnb.PROJECT) and CLOUD_NATIVE.search(tree.text(cnb.PROJECT) or "") is not None


def _pack(packs: Sequence[Buildpack]) -> Buildpack:
    return next(pack for pack in packs if pack.name == classic.NAME)
