"""What every builder promises, held by the real one and by the one in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

import building_support as support
from wherry.building.builder import Builder
from wherry.building.memory_builder import MemoryBuilder
from wherry.errors import DeployFailed
from wherry.model.check import HealthCheck

APP = {"requirements.txt": "", "Procfile": "web: python -m http.server $PORT\nrelease: true\n"}


@pytest.fixture(params=["memory", pytest.param("buildkit", marks=pytest.mark.engine)])
def builder(request: pytest.FixtureRequest) -> Builder:
    if request.param == "memory":
        return MemoryBuilder()
    return request.getfixturevalue("bench").builder  # type: ignore[no-any-return]


@pytest.fixture
def base(request: pytest.FixtureRequest) -> str:
    """An image that is on this machine when an engine is asked."""
    wanted = request.node.callspec.params["builder"]
    return request.getfixturevalue("bench").settings.name + "/python:" + python(request) if wanted == "buildkit" else "base"


@pytest.fixture
def app(request: pytest.FixtureRequest) -> str:
    wanted = request.node.callspec.params["builder"]
    return request.getfixturevalue("bench").app("contract") if wanted == "buildkit" else "contract"  # type: ignore[no-any-return]


def python(request: pytest.FixtureRequest) -> str:
    bench = request.getfixturevalue("bench")
    names = [image.name for image in bench.builder.stacks.show() if "/python:" in image.name and not image.name.endswith("-build")]
    return str(names[0].rpartition(":")[2])


def test_an_app_becomes_an_image_with_its_processes(builder: Builder, app: str, tmp_path: Path) -> None:
    lines: list[str] = []
    built = builder.build(support.push(tmp_path, APP, app), lines.append)
    assert built.image.startswith("sha256:")
    assert built.processes == {"web": "python -m http.server $PORT", "release": "true"}
    assert (built.buildpack, built.root, built.port) == ("python", False, None)
    assert lines[0].startswith("-----> Python 3.")
    assert lines[-1].startswith("-----> Built in ")


def test_the_same_push_becomes_the_same_image(builder: Builder, app: str, tmp_path: Path) -> None:
    source = support.push(tmp_path, APP, app)
    assert builder.build(source, [].append).image == builder.build(source, [].append).image


def test_app_json_brings_checks_and_a_formation(builder: Builder, app: str, tmp_path: Path) -> None:
    asked = '{"formation": {"web": {"quantity": 2}, "gone": {"quantity": 1}}, "healthchecks": {"web": [{"path": "/up"}]}}'
    built = builder.build(support.push(tmp_path, {**APP, "app.json": asked}, app), [].append)
    assert built.checks == {"web": (HealthCheck("/up"),)}
    assert built.formation == {"web": 2}


def test_a_dockerfile_without_a_procfile_runs_its_own_command(builder: Builder, app: str, base: str, tmp_path: Path) -> None:
    built = builder.build(support.push(tmp_path, {"Dockerfile": f'FROM {base}\nEXPOSE 8080\nCMD ["true"]\n'}, app), [].append)
    assert (built.buildpack, built.processes, built.root, built.port) == ("dockerfile", {"web": ""}, True, 8080)


def test_a_dockerfile_that_exposes_two_ports_leaves_the_choice_open(builder: Builder, app: str, base: str, tmp_path: Path) -> None:
    text = f'FROM {base}\nEXPOSE 8080\nEXPOSE 9090\nCMD ["true"]\n'
    assert builder.build(support.push(tmp_path, {"Dockerfile": text}, app), [].append).port is None


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"notes.txt": ""}, "nothing says how to build this app"),
        ({**APP, "Procfile": "web gunicorn"}, 'Procfile line 1: expected "name: command", found "web gunicorn"'),
        ({**APP, "app.json": "{"}, "app.json line 1 column 2: "),
        ({**APP, ".python-version": "2.7"}, "Python 2.7, which .python-version asks for, is not offered: "),
        ({"Dockerfile": ""}, "Dockerfile is empty"),
        (
            {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"},
            "nothing says what to run: the Dockerfile has no CMD, and there is no Procfile",
        ),
    ],
)
def test_a_push_that_can_not_run_is_refused_in_one_sentence(
    builder: Builder, app: str, files: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DeployFailed) as refused:
        builder.build(support.push(tmp_path, files, app), [].append)
    assert refused.value.message.startswith(message)
    assert "\n" not in refused.value.message


def test_a_cancelled_build_says_so(builder: Builder, app: str, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        builder.build(support.push(tmp_path, {**APP, "requirements.txt": f"# {app}\n"}, app), [].append, cancelled=lambda: True)
    assert refused.value.code == "build_cancelled"


def test_what_was_built_is_stored_for_its_app_with_its_layers(builder: Builder, app: str, tmp_path: Path) -> None:
    built = builder.build(support.push(tmp_path, APP, app), [].append)
    stored = builder.stored()
    assert stored.app_of[built.image] == app
    assert sum(size for _, size in stored.apps[built.image]) in (0, built.size)
    assert builder.disk().is_dir()
