"""The predeploy script of app.json: what it changes is in the image that runs, whoever built it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import building_support as support
from wherry.building.builder import Source
from wherry.errors import DeployFailed
from wherry.model.build_settings import BuildSettings
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.engine

CANARY = "canary-0b1e77-secret"


def source(folder: Path, app: str, files: support.Files, command: str, **config: str) -> Source:
    asked = json.dumps({"scripts": {"dokku": {"predeploy": command}}})
    pushed = support.push(folder, {**files, "app.json": asked}, app)
    return Source(app, pushed.commit, pushed.tree, pushed.archive, BuildSettings(), {key: Secret(value) for key, value in config.items()})


def seen(*words: str) -> bytes:
    return subprocess.run(["docker", *words], stdout=subprocess.PIPE, check=True).stdout


def test_what_the_script_writes_is_in_the_image_and_its_config_vars_are_not(bench: Bench, tmp_path: Path) -> None:
    files = {"requirements.txt": "", "Procfile": "web: cat made\n"}
    command = f'test ${{#TOKEN}} = {len(CANARY)} && echo "made by $(id -un) in $PWD" | tee made'
    pushed = source(tmp_path, bench.app("pre"), files, command, TOKEN=CANARY)
    built = bench.build(pushed)
    assert "       made by app in /app" in bench.lines
    assert any(line.startswith("-----> Running predeploy script: test") for line in bench.lines)
    assert seen("run", "--rm", built.image, "cat", "made") == b"made by app in /app\n"
    for looked_at in (["history", "--no-trunc", built.image], ["inspect", built.image], ["save", built.image]):
        assert CANARY.encode() not in seen(*looked_at)
    assert CANARY not in "\n".join(bench.lines)
    bench.build(pushed)
    assert "       made by app in /app" in bench.lines, "it runs at every deploy"


def test_a_dockerfile_app_has_its_script_too(bench: Bench, tmp_path: Path) -> None:
    base = next(image.name for image in bench.builder.stacks.show() if "/python:" in image.name)
    files = {"Dockerfile": f'FROM {base}\nUSER root\nWORKDIR /srv\nCMD ["cat", "made"]\n'}
    built = bench.build(source(tmp_path, bench.app("pre"), files, "pwd >made"))
    assert seen("run", "--rm", built.image) == b"/srv\n"
    assert built.root


def test_a_script_that_fails_fails_the_build_with_its_last_lines(bench: Bench, tmp_path: Path) -> None:
    files = {"requirements.txt": "", "Procfile": "web: x\n"}
    with pytest.raises(DeployFailed) as refused:
        bench.build(source(tmp_path, bench.app("pre"), files, "echo no good; exit 3"))
    assert (refused.value.message, refused.value.code) == ("the predeploy script of app.json exited with code 3", "predeploy_failed")
    assert bench.lines.count("       no good") == 1 and refused.value.evidence == ()
