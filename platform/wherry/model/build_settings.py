"""How an app wishes to be built, where the source alone does not say it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from wherry.errors import InvalidInput

BUILDERS = ("", "dockerfile", "buildpack", "classic", "cnb")
"""Nothing (detect), a Dockerfile, our own buildpacks, Heroku's classic buildpacks, Cloud Native Buildpacks."""
PATH_FORM = r"(?!.*(?:^|/)\.\.(?:/|$))[A-Za-z0-9._][A-Za-z0-9._/-]{0,199}"


@dataclass(frozen=True)
class BuildSettings:
    """`dir` is the sub-folder of a monorepo that is the app; `dockerfile` the path of its Dockerfile below that; `args`
    are values for a Dockerfile's ARG lines; `buildpacks` are classic buildpacks (git URL with #ref, or archive URL) in
    the order in which they run; `builder` is one of BUILDERS."""

    dir: str = ""
    dockerfile: str = ""
    args: dict[str, str] = field(default_factory=dict)
    buildpacks: tuple[str, ...] = ()
    builder: str = ""


def check_path(name: str, path: str) -> str:
    """Returns a path inside the source. Raises InvalidInput for anything that could leave it."""
    if path and not re.fullmatch(PATH_FORM, path):
        raise InvalidInput(f"{name} {path[:60]!a}: give a path inside the source, e.g. apps/web", field=name)
    return path.rstrip("/")


def check_builder(name: str) -> str:
    if name not in BUILDERS:
        raise InvalidInput(f'builder "{ascii(name[:40])[1:-1]}": give one of {", ".join(BUILDERS[1:])}', field="builder")
    return name


def to_json(settings: BuildSettings) -> dict[str, Any]:
    return asdict(settings)


def from_json(document: dict[str, Any]) -> BuildSettings:
    known = {name: document[name] for name in BuildSettings.__dataclass_fields__ if name in document}
    return BuildSettings(**{**known, "buildpacks": tuple(known.get("buildpacks", ()))})
