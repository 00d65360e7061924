"""Prepares and reads a build by Cloud Native Buildpacks: the lifecycle runs inside one step of an ordinary build, so that limits,
cancelling, caches and secrets are those of every build, and no buildpack ever sees the engine's socket."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

from wherry.building import cnb, dockerfile
from wherry.building.builder import Line, Login
from wherry.building.buildkit import BuildKit
from wherry.building.buildpack import fill
from wherry.building.cnb import CloudNative
from wherry.building.failure import refuse
from wherry.building.progress import Watched, tail
from wherry.building.registry_failure import explained
from wherry.building.solve import Image, PullFailed
from wherry.errors import DeployFailed

CODE = "cnb_failed"
NO_BUILDPACK = "No buildpack groups passed detection"


def recipe(found: CloudNative, engine: BuildKit, packs: Path, cache: str, line: Line, login: Login | None) -> str:
    """The Dockerfile, once the builder image is there. Raises DeployFailed when it can not be had, or is none."""
    name = found.builder.text
    image = engine.image(name) or _fetched(found, engine, line, login)
    told = cnb.lifecycle_of(image, name)
    values = {"api": told.api, "run": told.run, "uid": str(told.user), "gid": str(told.group), "owner": f"{told.user}:{told.group}"}
    values |= {"builder": name, "cache": cache, "architecture": engine.architecture()}
    return fill((packs / cnb.NAME / "Dockerfile").read_text("utf-8"), values)


def explain(message: str, broken: Watched | None, user: str) -> DeployFailed:
    """The sentence of a build that failed."""
    if broken is None or not broken.runs:
        return dockerfile.explain(message, broken, lambda _: user)
    lines = tail(broken, 30)
    text, evidence = "\n".join(lines), lines[-12:]
    if NO_BUILDPACK in text:
        fix = "Name the right ones in project.toml, or let Wherry build it: wherry build:set APP builder=buildpack"
        return refuse("no buildpack of the builder knows this app", fix, code="buildpack_refused", evidence=evidence, source="the build")
    failed = re.search(r"failed to build: exit status (\d+)", text)
    what = f"a buildpack failed with exit code {failed[1]}" if failed else "the buildpacks could not build this app"
    fix = "Its last lines are below. A broken cache: git push -o nocache."
    return refuse(what, fix, code=CODE, evidence=evidence, source="the build")


def _fetched(found: CloudNative, engine: BuildKit, line: Line, login: Login | None) -> Image:
    line(f"       fetching the builder image {found.builder.text} (once)")
    try:
        with closing(engine.pull(found.builder.text, (login.user, login.password.reveal()) if login else None)) as messages:
            for _ in messages:
                pass
    except PullFailed as error:
        told = explained(found.builder, str(error), login.user if login else "")
        raise refuse(f"no builder image: {told.message}", told.hint, code="cnb_unavailable") from error
    image = engine.image(found.builder.text)
    if image is None:
        raise refuse(f"{found.builder.text} was fetched and is gone", "Push again.", code="image_gone")
    return image
