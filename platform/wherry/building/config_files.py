"""Puts an app's config vars beside its source for a build, a file for each, to be mounted where a command needs them.

What is only mounted is in no layer and no history of the image, unlike an ARG or ENV. Installing dependencies sees just the
config vars that are meant for installers or that the dependency files name, so that any other change reuses that layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from wherry.building.context import Context
from wherry.secret import Secret

ALL, FOR_INSTALLERS = "config", "config-install"
INSTALLERS = re.compile(
    r"(?i:PIP_|UV_|POETRY_|PIPENV_|NPM_|YARN_|PNPM_|BUNDLE_|CARGO_|COMPOSER_|MAVEN_).*|GO(?:PROXY|PRIVATE|NOPROXY|NOSUMDB|SUMDB|INSECURE|FLAGS|AUTH)"
)
"""Config vars that pip, uv, Poetry, npm, Yarn, pnpm, Bundler, Cargo, Composer, Maven and Go read themselves."""


def add(made: Context, config: Mapping[str, Secret], dependency_files: Iterable[str] = ()) -> None:
    """Adds the folders ALL and FOR_INSTALLERS to the build. `dependency_files` are texts."""
    made.add_folder_entry(ALL)
    made.add_folder_entry(FOR_INSTALLERS)
    texts = tuple(dependency_files)
    for key, value in config.items():
        data = value.reveal().encode("utf-8", "surrogateescape")
        made.add_text(f"{ALL}/{key}", data)
        if INSTALLERS.fullmatch(key) or any(_names(text, key) for text in texts):
            made.add_text(f"{FOR_INSTALLERS}/{key}", data)


def _names(text: str, key: str) -> bool:
    """`$KEY` and `${KEY}`, as `.npmrc` and requirements files have them."""
    return re.search(rf"\$(?:\{{{key}\b|{key}\b)", text) is not None
