"""Which classic buildpacks build an app, and what they are given: everything that needs no engine."""

from __future__ import annotations

from pathlib import Path

import pytest

import building_support as support
from wherry.building import classic, plan
from wherry.building.buildpack import load_all
from wherry.building.classic import Classic
from wherry.building.plan import Planned
from wherry.building.release_yaml import process_types
from wherry.building.slugignore import parse as slugignore
from wherry.errors import DeployFailed
from wherry.model.build_settings import BuildSettings
from wherry.secret import Secret

GITHUB = "https://github.com/heroku/heroku-buildpack-"
PYTHON = {"requirements.txt": "flask\ngunicorn\n", "Procfile": "web: gunicorn app:app\n"}


def planned(
    folder: Path, files: support.Files, lines: list[str] | None = None, config: dict[str, str] | None = None, **settings: object
) -> Planned:
    secrets = {key: Secret(value) for key, value in (config or {}).items()}
    told = lines if lines is not None else []
    return plan.plan(support.tree(folder, files), load_all(support.PACKS), told.append, BuildSettings(**settings), secrets)  # type: ignore[arg-type]


def test_a_buildpacks_file_names_them_in_order(tmp_path: Path) -> None:
    text = "# first\nheroku/nodejs\n\nhttps://example.org/x.git#v1.2\r\nhttps://example.org/y.tgz\n"
    found = planned(tmp_path, {".buildpacks": text, "Dockerfile": "FROM x"})
    assert found.classic == Classic((f"{GITHUB}nodejs.git", "https://example.org/x.git#v1.2", "https://example.org/y.tgz"), ".buildpacks")
    assert found.buildpack == "classic"
    assert plan.heading(found, "22") == "-----> 3 classic buildpacks on heroku-22 (.buildpacks)"


def test_the_config_var_decides_before_the_settings_and_those_before_the_file(tmp_path: Path) -> None:
    files = {".buildpacks": "heroku/ruby\n"}
    settings = {"buildpacks": (f"{GITHUB}go.git",)}
    by_config = planned(tmp_path / "1", files, config={"BUILDPACK_URL": "heroku/php"}, **settings)
    assert by_config.classic == Classic((f"{GITHUB}php.git",), "BUILDPACK_URL")
    assert planned(tmp_path / "2", files, **settings).classic == Classic((f"{GITHUB}go.git",), "the build settings")


def test_app_json_names_them_unless_there_is_a_dockerfile(tmp_path: Path) -> None:
    files = {"app.json": '{"buildpacks": [{"url": "heroku/nodejs"}, {"url": "heroku/python"}]}', **PYTHON}
    found = planned(tmp_path / "1", files).classic
    assert found is not None and found.origin == "app.json" and len(found.urls) == 2
    assert planned(tmp_path / "2", {**files, "Dockerfile": "FROM x"}).buildpack == "dockerfile"


def test_herokus_python_in_app_json_is_built_by_our_own_and_the_push_says_so(tmp_path: Path) -> None:
    files = {"app.json": '{"buildpacks": [{"url": "heroku/python"}]}', **PYTHON}
    found = planned(tmp_path / "1", files)
    assert found.classic is None and found.buildpack == "python"
    assert "       app.json names heroku/python; built by Wherry's own Python buildpack" in plan.notes(found)
    assert planned(tmp_path / "2", files, builder="classic").buildpack == "classic"
    assert planned(tmp_path / "3", {"app.json": files["app.json"], "main.c": ""}).buildpack == "classic"


def test_a_dockerfile_or_our_buildpacks_are_taken_when_the_settings_ask_for_them(tmp_path: Path) -> None:
    files = {".buildpacks": "heroku/ruby\n", "Dockerfile": "FROM x", **PYTHON}
    assert planned(tmp_path / "1", files, builder="dockerfile").buildpack == "dockerfile"
    assert planned(tmp_path / "2", files, builder="buildpack").buildpack == "python"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/etc", ".buildpacks line 2: /etc is no buildpack"),
        ("./mine", ".buildpacks line 2: ./mine is no buildpack"),
        ("file:///etc", ".buildpacks line 2: file:///etc is no buildpack"),
        ("ext::sh -c id", ".buildpacks line 2: ext::sh -c id is no buildpack"),
        ("--upload-pack=id", ".buildpacks line 2: --upload-pack=id is no buildpack"),
        ("https://example.org/x.git#--upload-pack=id", ".buildpacks line 2: https://example.org/x.git#--upload-pack=id is no buildpack"),
        ("https://example.org/$(id)", ".buildpacks line 2: https://example.org/$(id) is no buildpack"),
    ],
)
def test_what_is_no_buildpack_is_refused_by_line(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DeployFailed) as refused:
        planned(tmp_path, {".buildpacks": f"# mine\n{line}\n"})
    assert (refused.value.message, refused.value.code) == (message, "buildpack_invalid")


def test_asking_for_classic_buildpacks_and_naming_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match="none is named") as refused:
        planned(tmp_path, PYTHON, builder="classic")
    assert refused.value.code == "no_buildpack" and "wherry buildpacks:add" in refused.value.hint


def test_cloud_native_buildpacks_get_a_clear_answer(tmp_path: Path) -> None:
    project = {"project.toml": '[_]\nschema-version = "0.2"\n[[io.buildpacks.group]]\nid = "heroku/nodejs"\n'}
    for number, (files, settings) in enumerate([({**project, "main.c": ""}, {}), (PYTHON, {"builder": "cnb"})]):
        with pytest.raises(DeployFailed, match="Cloud Native Buildpacks, and there is no lifecycle builder image") as refused:
            planned(tmp_path / str(number), files, **settings)
        assert refused.value.code == "cnb_unavailable"
    found = planned(tmp_path / "3", {**project, **PYTHON})
    assert found.buildpack == "python"
    assert "       project.toml names Cloud Native Buildpacks and no builder, so they are not run" in plan.notes(found)


def test_a_project_toml_of_something_else_is_left_alone(tmp_path: Path) -> None:
    assert plan.notes(planned(tmp_path, {"project.toml": "[tool.mine]\n", **PYTHON})) == []


def test_slugignore_keeps_files_out_and_dockerignore_does_not(tmp_path: Path) -> None:
    files = {".buildpacks": "heroku/go\n", ".slugignore": "docs/\n*.psd\n/only-here\n", ".dockerignore": "*\n"}
    files |= {"docs/a": "", "web/docs/b": "", "web/x.psd": "", "only-here": "", "web/only-here": "", "main.go": ""}
    members = {path for path, member in plan.context(planned(tmp_path, files)).members if not member.isdir()}
    assert members == {"app/.buildpacks", "app/.slugignore", "app/.dockerignore", "app/web/only-here", "app/main.go"}


@pytest.mark.parametrize(
    ("pattern", "path", "out"),
    [
        ("*.log", "a/b.log", True),
        ("*.log", "b.log.txt", False),
        ("/a", "a/b", True),
        ("/a", "c/a", False),
        ("a/b", "a/b/c", True),
        ("a/b", "x/a/b", False),
        ("tmp/", "x/tmp/y", True),
        ("tmp/", "tmp", False),
        ("a/**/z", "a/b/c/z", True),
        ("te?t", "test", True),
        ("# a", "# a", False),
    ],
)
def test_slugignore_patterns_are_those_of_gitignore(pattern: str, path: str, out: bool) -> None:
    assert slugignore(pattern)(path) is out


def test_config_vars_lie_beside_the_app_and_installers_see_only_theirs(tmp_path: Path) -> None:
    config = {"SECRET": "s", "PIP_INDEX_URL": "https://x/", "TOKEN": "t", "NAME_OF_TOKEN": "n"}
    found = planned(tmp_path, {**PYTHON, "requirements.txt": "a @ https://${TOKEN}@x/a.whl\n"}, config=config)
    context = plan.context(found, {key: Secret(value) for key, value in config.items()})
    assert {path for path in context.texts if path.startswith("config/")} == {f"config/{key}" for key in config}
    assert {path for path in context.texts if path.startswith("config-install/")} == {
        "config-install/PIP_INDEX_URL",
        "config-install/TOKEN",
    }
    assert context.folders == ["config", "config-install"]


def test_a_dockerfile_build_gets_no_config_vars(tmp_path: Path) -> None:
    found = planned(tmp_path, {"Dockerfile": "FROM x"}, config={"SECRET": "s"})
    assert plan.context(found, {"SECRET": Secret("s")}).texts == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "---\naddons:\n- heroku-postgresql\ndefault_process_types:\n  web: bin/start\n  worker: 'run: it'\n",
            {"web": "bin/start", "worker": "run: it"},
        ),
        ('config_vars:\n  A: b\ndefault_process_types:\n  "web": "echo \\"hi\\""\nother: x\n', {"web": 'echo "hi"'}),
        ('{"default_process_types": {}}\n', {}),
        ("default_process_types: {}\n", {}),
        ('default_process_types: {"web": "x y"}\n', {"web": "x y"}),
        ("--- {}\n", {}),
        ("", {}),
        ("default_process_types:\n    web:  run $PORT # on a port\n\n    # none\n", {"web": "run $PORT"}),
    ],
)
def test_the_processes_that_a_buildpack_releases_are_read(text: str, found: dict[str, str]) -> None:
    assert process_types(text) == found


@pytest.mark.parametrize(
    "text", ["default_process_types:\n  - web\n", "default_process_types:\n  web: |\n    x\n", "default_process_types: [web]\n"]
)
def test_processes_that_can_not_be_read_are_told(text: str) -> None:
    with pytest.raises(DeployFailed, match="can not be read") as refused:
        process_types(text)
    assert refused.value.code == "buildpack_invalid"


def test_the_procfile_goes_over_the_default_processes() -> None:
    left = {"release.yml": b"default_process_types:\n  web: a\n  console: b\n", "Procfile": b"web: c\r\n"}
    assert classic.processes(left) == {"web": "c", "console": "b"}
    with pytest.raises(DeployFailed, match="nothing says what to run"):
        classic.processes({"release.yml": b"--- {}\n"})
