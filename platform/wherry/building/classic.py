"""Decides whether Heroku's classic buildpacks build an app, which ones in which order, and what their build is given.

Source of the rules: devcenter.heroku.com, "Buildpack API" and "Using Multiple Buildpacks for an App"; dokku.com, "Herokuish
Buildpacks" (BUILDPACK_URL before the settings before `.buildpacks` before a Dockerfile).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wherry.building import procfile, slugignore
from wherry.building.archive import Tree
from wherry.building.buildpack import Buildpack, Plan
from wherry.building.detect import Detected
from wherry.building.dockerfile import DOCKERFILE
from wherry.building.failure import refuse, shown
from wherry.building.release_yaml import process_types
from wherry.errors import InvalidInput
from wherry.model.build_settings import BuildSettings, buildpack_url
from wherry.secret import Secret

NAME = "classic"
FILE = ".buildpacks"
SETTING = "the build settings"
CONFIG_VAR = "BUILDPACK_URL"
APP_JSON = "app.json"
OFFICIAL = re.compile(r"https://github\.com/heroku/heroku-buildpack-([a-z]+)\.git")


@dataclass(frozen=True)
class Classic:
    """`urls` are the buildpacks in the order in which they run; `origin` says where they were named."""

    urls: tuple[str, ...]
    origin: str

    @property
    def language(self) -> str:
        """The language of an app whose app.json names one buildpack of Heroku's own, without a version; else empty."""
        match = OFFICIAL.fullmatch(self.urls[0]) if len(self.urls) == 1 and self.origin == APP_JSON else None
        return match[1] if match else ""


def choose(tree: Tree, settings: BuildSettings, config: Mapping[str, Secret], by_app_json: Sequence[str]) -> Classic | None:
    """The buildpacks that an app names, None when it is not built by any. Raises DeployFailed for what is no buildpack."""
    if settings.builder not in ("", NAME) or (settings.dockerfile and not settings.builder):
        return None
    for found in _named(tree, settings, config, by_app_json):
        if found.urls:
            return found
    if settings.builder == NAME:
        fix = "Name one: wherry buildpacks:add APP heroku/python, or commit a .buildpacks file with its URL."
        raise refuse("the build settings ask for classic buildpacks, and none is named", fix, code="no_buildpack")
    return None


def detected(found: Classic, pack: Buildpack) -> Detected:
    return Detected(pack, Plan(NAME, (found.origin,)))


def heading(found: Classic, version: str) -> str:
    count = f"{len(found.urls)} classic buildpacks" if len(found.urls) > 1 else "Classic buildpack"
    return f"-----> {count} on heroku-{version} ({found.origin})"


def files(found: Classic, pack: Buildpack, commit: str) -> dict[str, bytes]:
    """What the build finds beside its script."""
    return {**pack.scripts(), "buildpacks": "".join(f"{url}\n" for url in found.urls).encode(), "commit": commit.encode()}


def kept(tree: Tree) -> list[str]:
    """The paths of the app that its build gets. Heroku knows `.slugignore`, not `.dockerignore`."""
    left_out = slugignore.parse(tree.text(slugignore.FILE) or "") if tree.has(slugignore.FILE) else None
    return [name for name in tree.members if left_out is None or not left_out(name)]


def processes(left: Mapping[str, bytes], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The process types of an app from what its build left: those that the last buildpack names, and over them those of the
    Procfile, which a buildpack may have written. `given` are those of a Procfile elsewhere, which go over it. Raises
    DeployFailed when there are none."""
    by_default = process_types(left.get("release.yml", b"").decode("utf-8", "replace"))
    text = left.get("Procfile", b"").decode("utf-8-sig", "replace")
    found = {**by_default, **(given or (procfile.parse(text) if text.strip() else {}))}
    if not found:
        message = "nothing says what to run: there is no Procfile, and the buildpack names no process"
        raise refuse(message, f'Commit a Procfile, e.g. "{procfile.EXAMPLE}".', code="no_process")
    return found


def _named(tree: Tree, settings: BuildSettings, config: Mapping[str, Secret], by_app_json: Sequence[str]) -> Iterator[Classic]:
    """Every place that may name buildpacks, the one that decides first."""
    if CONFIG_VAR in config and config[CONFIG_VAR].reveal().strip():
        yield Classic((_url(config[CONFIG_VAR].reveal().strip(), CONFIG_VAR),), CONFIG_VAR)
    yield Classic(settings.buildpacks, SETTING)
    yield Classic(_of_file(tree.text(FILE) or "") if tree.has(FILE) else (), FILE)
    if settings.builder == NAME or not tree.has(DOCKERFILE):
        yield Classic(tuple(by_app_json), APP_JSON)


def _of_file(text: str) -> tuple[str, ...]:
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    return tuple(_url(line, f"{FILE} line {number}") for number, line in lines if line and not line.startswith("#"))


def _url(text: str, where: str) -> str:
    try:
        return buildpack_url(text, by_source=True)
    except InvalidInput as error:
        hint = "Give https://HOST/PATH.git with #REF, an archive (.tgz), or a name like heroku/python."
        raise refuse(f"{where}: {shown(text)} is no buildpack", hint, code="buildpack_invalid") from error
