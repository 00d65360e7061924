"""Apps of each kind of lock file, and builds that fail, hang or hide something, on a real engine."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

import building_support as support
from python_locks import dependencies
from waiting import until
from wherry.building.builder import Built
from wherry.building.buildkit_builder import BuildKitBuilder
from wherry.errors import DeployFailed

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.engine
FLASK = "from flask import Flask\napp = Flask(__name__)\n"
PROCFILE = "web: gunicorn app:app -b 0.0.0.0:$PORT\n"
PACKAGE = (
    '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = []\n[project.scripts]\nshop = "shop:main"\n'
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
)
ANSWERS = "import app; print(app.app.test_client().get('/').status_code)"


def run(built: Built, *argv: str, user: str = "") -> str:
    """What `argv` prints in a container of the image, as the platform would start it."""
    client = docker.from_env()
    try:
        return client.containers.run(built.image, list(argv), remove=True, user=user or None).decode()  # type: ignore[no-any-return]
    finally:
        client.close()


@pytest.mark.parametrize("kind", ["requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock", "pyproject.toml"])
def test_a_flask_app_is_built_from_its_dependency_file(kind: str, bench: Bench, tmp_path: Path) -> None:
    files = dependencies(kind, bench, tmp_path)
    built = bench.build(support.push(tmp_path / "app", {**files, "app.py": FLASK, "Procfile": PROCFILE}, bench.app("flask")))
    assert f"({kind};" in bench.lines[0]
    assert any("installed " in line and " packages in " in line for line in bench.lines)
    assert run(built, "python", "-c", ANSWERS) == "404\n"
    assert run(built, "sh", "-c", "command -v gunicorn; command -v uv poetry pipenv || true") == "/venv/bin/gunicorn\n"


def test_a_pipfile_without_a_source_fits_the_lock_that_was_made_of_it(bench: Bench, tmp_path: Path) -> None:
    """The sum is pipenv's own, of the file and of the sources that the lock names."""
    sources = [{"name": "ours", "url": "https://packages.example.org/simple", "verify_ssl": True}]
    locked = {"_meta": {"sources": sources, "requires": {}}, "default": {}, "develop": {}}
    locked["_meta"]["hash"] = {"sha256": hashlib.sha256(json.dumps(locked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()}
    files = {"Pipfile": "[packages]\n", "Pipfile.lock": json.dumps(locked), "Procfile": "web: x\n"}
    built = bench.build(support.push(tmp_path, files, bench.app("sourceless")))
    assert built.image.startswith("sha256:")


def test_a_code_only_change_reuses_the_dependencies(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("quick")
    files = {"requirements.txt": "itsdangerous\n", "Procfile": "web: python app.py\n"}
    first = bench.build(support.push(tmp_path, {**files, "app.py": "print(1)\n"}, app))
    second = bench.build(support.push(tmp_path, {"app.py": "print(2)\n"}, app))
    assert "       dependencies unchanged, reused" in bench.lines
    assert first.image != second.image
    assert run(second, "python", "app.py") == "2\n"


def test_another_commit_of_the_same_tree_reuses_every_layer(bench: Bench, tmp_path: Path) -> None:
    app = bench.app("same")
    files = {"requirements.txt": "", "Procfile": "web: x\n", "app.py": "1\n"}
    first = bench.build(support.push(tmp_path, files, app))
    support.git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "again", "--date", "2001-01-01T00:00:00Z")
    second = bench.build(support.push(tmp_path, {}, app))
    client = docker.APIClient()
    layers = [client.inspect_image(built.image)["RootFS"]["Layers"] for built in (first, second)]
    client.close()
    assert layers[0] == layers[1]


def test_the_apps_own_package_is_installed_too(bench: Bench, tmp_path: Path) -> None:
    files = {
        "pyproject.toml": PACKAGE,
        "requirements.txt": "-e .\n",
        "shop.py": "def main(): print('it sails')\n",
        "Procfile": "web: shop\n",
    }
    built = bench.build(support.push(tmp_path, files, bench.app("package")))
    assert any(line.startswith("       installed the app's own packages in ") for line in bench.lines)
    assert run(built, "shop") == "it sails\n"


def test_the_app_runs_as_a_user_that_may_write_its_own_folder_and_no_other(bench: Bench, tmp_path: Path) -> None:
    built = bench.build(support.push(tmp_path, {"requirements.txt": "", "Procfile": "web: x\n"}, bench.app("user")))
    assert run(built, "sh", "-c", "id -un; pwd; echo $HOME; touch x && echo writes; touch /venv/x 2>/dev/null || echo kept") == (
        "app\n/app\n/app\nwrites\nkept\n"
    )


def test_the_hosts_certificates_are_trusted_where_the_app_runs(bench: Bench, tmp_path: Path) -> None:
    built = bench.build(support.push(tmp_path, {"requirements.txt": "", "Procfile": "web: x\n"}, bench.app("trust")))
    count = "import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 50)"
    assert run(built, "python", "-c", count) == "True\n"


def test_names_of_any_bytes_reach_the_image(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "caf\udce9.txt").write_text("x")
    built = bench.build(support.push(tmp_path, {"requirements.txt": "", "Procfile": "web: x\n", "new\nline": ""}, bench.app("bytes")))
    assert run(built, "python", "-c", "import os; print(sorted(os.listdir(b'/app')))").startswith(
        "[b'Procfile', b'caf\\xe9.txt', b'new\\nline'"
    )


def test_what_dockerignore_leaves_out_is_not_in_the_image(bench: Bench, tmp_path: Path) -> None:
    files = {
        ".dockerignore": "*.env\n!public.env\n",
        "secret.env": "hunter2",
        "public.env": "",
        "requirements.txt": "",
        "Procfile": "web: x\n",
    }
    built = bench.build(support.push(tmp_path, files, bench.app("ignore")))
    assert run(built, "sh", "-c", "ls *.env") == "public.env\n"


def test_history_tells_neither_a_path_of_the_host_nor_a_secret(bench: Bench, tmp_path: Path) -> None:
    files = {"requirements.txt": "", "Procfile": "web: x\n", "settings.py": "KEY = 'hunter2'\n"}
    built = bench.build(support.push(tmp_path, files, bench.app("history")))
    client = docker.APIClient()
    told = str(client.history(built.image)) + str(client.inspect_image(built.image)["Config"])
    client.close()
    assert "hunter2" not in told
    for path in (str(tmp_path), str(bench.settings.home), str(support.REPOSITORY)):
        assert path not in told


def test_a_cancelled_build_stops_at_the_engine(bench: Bench, tmp_path: Path) -> None:
    app, mark = bench.app("cancel"), support.unique("mark")
    text = f"FROM {base_of(bench)}\nUSER root\nRUN echo {mark}; sleep 300\nCMD true\n"
    source = support.push(tmp_path, {"Dockerfile": text}, app)
    began = time.monotonic()
    with pytest.raises(DeployFailed) as refused:
        bench.build(source, cancelled=lambda: any("sleep 300 …" in line for line in bench.lines))
    assert refused.value.code == "build_cancelled"
    assert time.monotonic() - began < 120
    look = ["pgrep", "-f", f"echo {mark}; sleep 300"]
    until(lambda: subprocess.run(look, capture_output=True, check=False).returncode == 1, what="the step's end")


def test_a_build_that_takes_too_long_is_stopped(bench: Bench, tmp_path: Path) -> None:
    hasty = BuildKitBuilder(dataclasses.replace(bench.settings, build_timeout=1), bench.engine)
    text = f"FROM {base_of(bench)}\nRUN echo {support.unique('x')}; sleep 300\nCMD true\n"
    with pytest.raises(DeployFailed) as refused:
        hasty.build(support.push(tmp_path, {"Dockerfile": text}, bench.app("late")), [].append)
    assert (refused.value.code, refused.value.message) == ("build_timeout", "the build took longer than 1 s")


@pytest.mark.parametrize("case", support.cases("dockerfile"), ids=lambda case: str(case["name"]))
def test_a_dockerfile_that_fails_is_named_with_the_builders_line(case: dict[str, str], bench: Bench, tmp_path: Path) -> None:
    text = re.sub(r"\bBASE\b", base_of(bench), case["text"])
    with pytest.raises(DeployFailed) as refused:
        bench.build(support.push(tmp_path, {"Dockerfile": text}, bench.app("dockerfile")))
    sentence = case["message"].replace(" BASE", f" {base_of(bench)}")
    assert (refused.value.code, refused.value.message[: len(sentence)]) == (case["code"], sentence)
    assert sentence.endswith(": ") or refused.value.message == sentence
    assert any(case["evidence"] in line for line in refused.value.evidence) or not case["evidence"]
    assert refused.value.hint


def test_a_dockerfile_for_another_processor_is_refused(bench: Bench, foreign: tuple[str, str], tmp_path: Path) -> None:
    image, processor = foreign
    with pytest.raises(DeployFailed) as refused:
        text = f"FROM --platform=linux/{processor} {image}\nCMD x\n"
        bench.build(support.push(tmp_path, {"Dockerfile": text}, bench.app("foreign")))
    assert refused.value.message == f"the image is for {processor}, this machine is {bench.engine.architecture()}"


@pytest.fixture
def foreign(bench: Bench) -> Iterator[tuple[str, str]]:
    """An image for a processor that this machine does not have."""
    processor = "arm64" if bench.engine.architecture() == "amd64" else "amd64"
    tag = f"{bench.settings.name}/foreign:{support.unique('v')}"
    client = docker.APIClient()
    list(client.load_image(saved_image(tag, processor)))
    yield tag, processor
    client.remove_image(tag)
    client.close()


def saved_image(tag: str, processor: str) -> bytes:
    """An empty image in the form of `docker save`."""
    layer, image = io.BytesIO(), io.BytesIO()
    tarfile.open(fileobj=layer, mode="w").close()
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {"architecture": processor, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}
    manifest = [{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
    files = {"config.json": json.dumps(config).encode(), "layer.tar": layer.getvalue(), "manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(fileobj=image, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return image.getvalue()


def test_a_second_build_of_a_commit_leaves_the_first_its_name(bench: Bench, tmp_path: Path) -> None:
    text = f"FROM {base_of(bench)}\nRUN cat /proc/sys/kernel/random/uuid >/made\nCMD true\n"
    source = support.push(tmp_path, {"Dockerfile": text}, bench.app("twice"))
    first, second = bench.build(source), bench.build(source, no_cache=True)
    assert first.image != second.image
    for built in (first, second):
        found = bench.engine.image(built.image)
        assert found is not None
        assert found.tags


def base_of(bench: Bench) -> str:
    """A small image of this platform that is on the machine."""
    return next(image.name for image in bench.builder.stacks.show() if "/python:" in image.name and not image.name.endswith("-build"))
