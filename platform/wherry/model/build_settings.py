"""How an app wishes to be built, where the source alone does not say it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from wherry.errors import InvalidInput
from wherry.model.origin import parse_image

BUILDERS = ("", "dockerfile", "buildpack", "classic", "cnb")
"""Nothing (detect), a Dockerfile, our own buildpacks, Heroku's classic buildpacks, Cloud Native Buildpacks."""
EXAMPLE = "cnb:heroku/builder:24"
PATH_FORM = r"(?!.*(?:^|/)\.\.(?:/|$))[A-Za-z0-9._][A-Za-z0-9._/-]{0,199}"
NAME, REF = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", r"[A-Za-z0-9._][A-Za-z0-9._/-]{0,99}"
HOST, PERSON = r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?", r"[A-Za-z0-9._~%!$&:-]{1,300}"
MAX_BUILDPACKS = 20
MAX_ARGS = 100
MAX_ARG = 4096


@dataclass(frozen=True)
class BuildSettings:
    """`dir` is the sub-folder of a monorepo that is the app; `dockerfile` and `procfile` are paths below that; `args` are
    values for a Dockerfile's ARG lines; `buildpacks` are classic buildpacks (git URL with #ref, or archive URL) in the order
    in which they run; `builder` is one of BUILDERS, or `cnb:` and a builder image."""

    dir: str = ""
    dockerfile: str = ""
    args: dict[str, str] = field(default_factory=dict)
    buildpacks: tuple[str, ...] = ()
    builder: str = ""
    procfile: str = ""


def changed(settings: BuildSettings, changes: Mapping[str, Any]) -> BuildSettings:
    """`settings` with some fields changed; None gives a field its default back, and in `args` removes that one.

    Raises InvalidInput naming the field, its form and an example.
    """
    after = settings
    for name, value in changes.items():
        after = replace(after, **{name: _checked(name, value, settings)})
    return after


def _checked(name: str, value: Any, settings: BuildSettings) -> Any:
    match name:
        case "dir" | "dockerfile" | "procfile":
            return check_path(name, value or "")
        case "builder":
            return check_builder(value or "")
        case "buildpacks":
            return check_buildpacks(value or ())
        case _:
            return check_args({} if value is None else {**settings.args, **value})


def check_path(name: str, path: str) -> str:
    """Returns a path inside the source. Raises InvalidInput for anything that could leave it."""
    example = {"dir": "apps/web", "procfile": "deploy/Procfile"}.get(name, "docker/Dockerfile.prod")
    path = path.removeprefix("./").rstrip("/") if path not in (".", "/") else "."
    if path and not re.fullmatch(PATH_FORM, path):
        raise InvalidInput(f"{name} {path[:60]!a}: give a path inside the source, e.g. {example}", field=name)
    return "" if path == "." else path


def check_builder(name: str) -> str:
    kind, named, image = name.partition(":")
    if kind not in BUILDERS or (named and kind != "cnb"):
        shown = ascii(name[:40])[1:-1]
        raise InvalidInput(f'builder "{shown}": give one of {", ".join(BUILDERS[1:])}, or cnb:IMAGE (e.g. {EXAMPLE})', field="builder")
    if named:
        parse_image(image)
    return name


def check_args(args: Mapping[str, str | None]) -> dict[str, str]:
    """Returns the build args without those that are None."""
    for name, value in args.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name):
            shown = ascii(name[:60])[1:-1]
            raise InvalidInput(f'build arg "{shown}": use letters, digits and "_", e.g. arg.NODE_ENV=production', field="args")
        if value is not None and ("\0" in value or len(value) > MAX_ARG):
            raise InvalidInput(f"build arg {name}: a value may have up to {MAX_ARG} characters and no NUL byte", field="args")
    kept = {name: value for name, value in args.items() if value is not None}
    if len(kept) > MAX_ARGS:
        raise InvalidInput(f"{len(kept)} build args: an app may have up to {MAX_ARGS}", field="args")
    return kept


def check_buildpacks(given: Sequence[str]) -> tuple[str, ...]:
    """Returns the URLs of classic buildpacks, each once."""
    found = tuple(buildpack_url(text) for text in given)
    if len(set(found)) < len(found):
        twice = next(url for url in found if found.count(url) > 1)
        raise InvalidInput(f"the buildpack {twice} is given twice; give each once", field="buildpacks")
    if len(found) > MAX_BUILDPACKS:
        raise InvalidInput(f"{len(found)} buildpacks: an app may have up to {MAX_BUILDPACKS}", field="buildpacks")
    return found


def buildpack_url(text: str, *, by_source: bool = False) -> str:
    """The URL of a buildpack. Like Heroku and Dokku it also takes `heroku/python`, `heroku-community/apt` and
    `owner/repository` (of GitHub). Only an app's own source or config (`by_source`) may leave out TLS or hold a password:
    what a setting says is shown to others. Raises InvalidInput for paths, ssh, and what git would take for an option."""
    short = re.fullmatch(rf"(?:urn:buildpack:)?({NAME})/({NAME})(#{REF})?", text)
    if short:
        owner, name, ref = short[1], short[2].removesuffix(".git"), short[3] or ""
        own = owner in ("heroku", "heroku-community") and not name.startswith("heroku-")
        repository = f"heroku/heroku-buildpack-{name}" if own else f"{owner}/{name}"
        return f"https://github.com/{repository}.git{ref}"
    scheme = rf"(?:https?|git)://(?:{PERSON}@)?" if by_source else "https://"
    if not re.fullmatch(rf"{scheme}{HOST}/[A-Za-z0-9._~/%+-]{{1,300}}(\?[A-Za-z0-9._~/%+&=-]{{1,300}})?(#{REF})?", text):
        raise InvalidInput(
            f"buildpack {text[:80]!a}: give https://HOST/PATH.git, with #REF for a tag or branch, or a name like heroku/python",
            field="buildpacks",
        )
    return text


def to_json(settings: BuildSettings) -> dict[str, Any]:
    return asdict(settings)


def from_json(document: dict[str, Any]) -> BuildSettings:
    known = {name: document[name] for name in BuildSettings.__dataclass_fields__ if name in document}
    return BuildSettings(**{**known, "buildpacks": tuple(known.get("buildpacks", ()))})
