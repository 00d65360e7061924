"""The same two dependencies in the files of each tool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import docker

import building_support as support

if TYPE_CHECKING:
    from conftest import Bench

PROJECT = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["flask", "gunicorn"]\n'


def locked_by_uv(bench: Bench, folder: Path, project: str) -> dict[str, str]:
    """The project with its lock, made by the uv of the build image: a committed lock would name a package index."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(project)
    image = next(image.name for image in bench.builder.stacks.show() if image.name.endswith("-build") and "/python:" in image.name)
    client = docker.from_env()
    try:
        client.containers.run(image, ["uv", "lock", "--quiet"], remove=True, working_dir="/x", volumes={str(folder): {"bind": "/x"}})
    finally:
        client.close()
    return {"pyproject.toml": project, "uv.lock": (folder / "uv.lock").read_text()}


def dependencies(kind: str, bench: Bench, folder: Path) -> dict[str, str]:
    """The files of each way to ask for flask and gunicorn."""
    if kind == "uv.lock":
        return locked_by_uv(bench, folder / "lock", PROJECT)
    if kind in ("poetry.lock", "Pipfile.lock"):
        kept = support.DATA / "apps" / {"poetry.lock": "poetry", "Pipfile.lock": "pipenv"}[kind]
        return {path.name: path.read_text() for path in kept.iterdir()}
    return {kind: "flask\ngunicorn\n" if kind == "requirements.txt" else PROJECT}
