"""What is decided about a push before anything is built, and what is refused in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import building_support as support
from wherry.building import plan
from wherry.building.buildpack import load_all
from wherry.building.plan import Planned
from wherry.errors import DeployFailed


def planned(folder: Path, files: support.Files, lines: list[str] | None = None) -> Planned:
    return plan.plan(support.tree(folder, files), load_all(support.PACKS), (lines if lines is not None else []).append)


@pytest.mark.parametrize("case", support.cases("detect"), ids=lambda case: str(case["name"]))
def test_a_tree_that_can_not_be_built_is_answered_with_the_way_out(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        planned(tmp_path, case["files"])
    assert (refused.value.message, refused.value.hint) == (case["message"], case["hint"])


def test_what_was_looked_for_is_listed_a_line_for_each_language(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        planned(tmp_path, {"notes.txt": ""})
    assert refused.value.heading == "Looked for:"
    first, *languages = refused.value.evidence
    assert first == "Dockerfile"
    assert "Python: uv.lock, poetry.lock, Pipfile.lock, requirements.txt, pyproject.toml" in languages
    assert "Static site: static.json, index.html" in languages
    known = {name for pack in load_all(support.PACKS) for plan in pack.plans for name in [plan.lock or plan.files[0]]}
    assert {name for line in languages for name in line.partition(": ")[2].split(", ")} == known


@pytest.mark.parametrize(
    ("files", "looked"),
    [
        (
            {"package.json": "{}", "lib.js": ""},
            (
                "Procfile",
                "package.json: the start script, Next.js, Nuxt, SvelteKit, Astro's server, main",
                "server.js",
                "index.js",
                "app.js",
            ),
        ),
        ({"Gemfile": "", "Gemfile.lock": ""}, ("Procfile", "config/application.rb: Rails", "config.ru: Rack")),
    ],
)
def test_an_app_that_nothing_starts_is_told_where_a_web_process_was_looked_for(
    files: dict[str, str], looked: tuple[str, ...], tmp_path: Path
) -> None:
    with pytest.raises(DeployFailed, match="no web process was recognised") as refused:
        planned(tmp_path, files)
    assert (refused.value.heading, refused.value.evidence) == ("Looked for:", looked)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements.txt": "flask"}, "-----> Python 3.13 (requirements.txt; the default version)"),
        ({"requirements.txt": "", ".python-version": "3.12.4\n"}, "-----> Python 3.13 (requirements.txt; version from .python-version)"),
        ({"requirements.txt": "", "runtime.txt": "python-3.11.9"}, "-----> Python 3.13 (requirements.txt; version from runtime.txt)"),
        ({"uv.lock": "", "pyproject.toml": "[project]"}, "-----> Python 3.13 (uv.lock; the default version)"),
        (
            {"pyproject.toml": '[project]\nrequires-python = ">=3.11"\n', "poetry.lock": ""},
            "-----> Python 3.13 (poetry.lock; version from pyproject.toml)",
        ),
        (
            {"Pipfile.lock": '{"_meta": {"requires": {"python_version": "3.11"}}}'},
            "-----> Python 3.13 (Pipfile.lock; version from Pipfile.lock)",
        ),
        ({"Dockerfile": "FROM x", "requirements.txt": ""}, "-----> Dockerfile"),
    ],
)
def test_the_heading_names_what_decided(files: dict[str, str], expected: str, tmp_path: Path) -> None:
    assert plan.heading(planned(tmp_path, {"Procfile": "web: x", **files}), "3.13") == expected


@pytest.mark.parametrize(
    ("files", "command"),
    [
        (
            {"app.py": "from flask import Flask\napp = Flask(__name__)\n", "requirements.txt": "flask\ngunicorn==23\n"},
            "gunicorn app:app -b 0.0.0.0:$PORT",
        ),
        (
            {"main.py": "app: FastAPI = FastAPI()\n", "requirements.txt": "fastapi[standard]\n"},
            "uvicorn main:app --host 0.0.0.0 --port $PORT",
        ),
        ({"app.py": "app = fastapi.FastAPI(\n", "requirements.txt": "fastapi\nuvicorn\n"}, "uvicorn app:app --host 0.0.0.0 --port $PORT"),
        (
            {"manage.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "my_shop.settings")', "requirements.txt": "Django\nGunicorn\n"},
            "gunicorn my_shop.wsgi -b 0.0.0.0:$PORT",
        ),
        (
            {"manage.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "my_shop.settings")', "requirements.txt": "Django\nuvicorn\n"},
            "uvicorn my_shop.asgi:application --host 0.0.0.0 --port $PORT",
        ),
        (
            {"app/main.py": "app = FastAPI()\n", "requirements.txt": "fastapi\nuvicorn\n"},
            "uvicorn app.main:app --host 0.0.0.0 --port $PORT",
        ),
        ({"wsgi.py": "application = make()\n", "requirements.txt": "gunicorn\n"}, "gunicorn wsgi:application -b 0.0.0.0:$PORT"),
        ({"asgi.py": "app: App = make()\n", "requirements.txt": "uvicorn\n"}, "uvicorn asgi:app --host 0.0.0.0 --port $PORT"),
    ],
)
def test_a_known_framework_needs_no_procfile_and_is_told_so(files: dict[str, str], command: str, tmp_path: Path) -> None:
    found = planned(tmp_path, files)
    assert found.processes == {"web": command}
    assert any(line.endswith(f"so web: {command}") for line in plan.notes(found))


def test_a_procfile_decides_over_what_would_be_recognised(tmp_path: Path) -> None:
    found = planned(tmp_path, {"app.py": "app = Flask(__name__)\n", "requirements.txt": "flask", "Procfile": "web: ./mine\n"})
    assert found.processes == {"web": "./mine"}
    assert plan.notes(found) == []


def test_a_lock_file_decides_over_requirements_txt_and_says_so(tmp_path: Path) -> None:
    found = planned(tmp_path, {"uv.lock": "", "pyproject.toml": "[project]", "requirements.txt": "flask", "Procfile": "web: x"})
    assert plan.notes(found) == ["       uv.lock decides; requirements.txt is not used"]


def test_files_that_requirements_name_are_dependency_files_too(tmp_path: Path) -> None:
    files = {"requirements.txt": "-r requirements/base.txt\n", "requirements/base.txt": "-c ../pins.txt\nflask\n", "pins.txt": "flask==3\n"}
    found = planned(tmp_path, {**files, "Procfile": "web: x", "app.py": ""})
    assert set(found.detected.files) == {"requirements.txt", "requirements/base.txt", "pins.txt"}
    assert not found.detected.sources


@pytest.mark.parametrize("line", ["-e .", ".", "./vendor/thing", "-e ./vendor/thing", "file:./thing", ".[extra]"])
def test_dependencies_in_the_apps_own_folder_are_noticed(line: str, tmp_path: Path) -> None:
    assert planned(tmp_path, {"requirements.txt": f"flask\n{line}\n", "Procfile": "web: x"}).detected.sources


def test_a_link_inside_the_tree_is_followed(tmp_path: Path) -> None:
    found = planned(tmp_path, {"requirements.txt": "", "deploy/Procfile": "web: x", "Procfile": "-> deploy/Procfile"})
    assert found.processes == {"web": "x"}


@pytest.mark.parametrize(
    ("files", "warning"),
    [
        ({"Procfile": "worker: x"}, " !     there is no web process, so no visitor is served; this app has: worker"),
        ({"Procfile": "Web: x"}, ' !     there is no web process, so no visitor is served; this app has: Web; "Web" is not it: write web'),
        (
            {".gitmodules": '[submodule "a"]\n\tpath = lib/a\n[submodule "b"]\n\tpath = lib/b\n', "lib/b/x": ""},
            " !     the folder lib/a is empty: the files of a submodule are not in this archive",
        ),
        (
            {
                ".gitattributes": "*.bin filter=lfs",
                "a.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n",
            },
            " !     a.bin: Git LFS keeps the content elsewhere, so the app gets the pointer only. Commit the file itself",
        ),
        (
            {"app.json": '{"formation": {"web": {}, "wob": {"quantity": 2, "size": "small"}}}'},
            " !     app.json: formation has no effect for wob; this app has: web",
        ),
        (
            {"app.json": '{"healthchecks": {"worker": [{"type": "startup", "uptime": 1}]}}'},
            " !     app.json: healthchecks has no effect for worker; this app has: web",
        ),
        ({"app.json": '{"healtchecks": {}}'}, ' !     app.json line 1: unknown key "healtchecks"; did you mean "healthchecks"?'),
    ],
)
def test_what_will_surprise_later_is_said_now(files: dict[str, str], warning: str, tmp_path: Path) -> None:
    lines: list[str] = []
    planned(tmp_path, {"requirements.txt": "", "Procfile": "web: x", **files}, lines)
    assert lines == [warning]


@pytest.mark.parametrize("name", ["Procfile.txt", "procfile", "PROCFILE"])
def test_a_procfile_of_another_name_is_not_passed_over_in_silence(name: str, tmp_path: Path) -> None:
    lines: list[str] = []
    with pytest.raises(DeployFailed, match="there is no Procfile"):
        planned(tmp_path, {"requirements.txt": "", name: "web: x"}, lines)
    assert lines == [f" !     {name} is not read: it has to be called Procfile (git mv {name} Procfile)"]


@pytest.mark.parametrize("name", [".venv", "venv", "env"])
def test_a_virtual_environment_in_the_push_is_named(name: str, tmp_path: Path) -> None:
    found = planned(tmp_path, {"requirements.txt": "", "Procfile": "web: x", f"{name}/pyvenv.cfg": "home = /usr/bin"})
    assert found.detected.notes == (
        f"{name} is in the push, and the app does not run with it: packages are installed for this machine. "
        f"Remove it: git rm -r --cached {name}",
    )


def test_a_streamlit_app_is_started_as_one(tmp_path: Path) -> None:
    found = planned(tmp_path, {"requirements.txt": "streamlit\n", "app.py": "import streamlit as st\n\nst.write('hi')\n"})
    assert found.processes == {"web": "streamlit run app.py --server.address 0.0.0.0 --server.port $PORT --server.headless true"}


def test_what_dockerignore_leaves_out_is_not_sent_but_dependency_files_are(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "flask",
        "Procfile": "web: x",
        "secret.env": "x",
        "app.py": "",
        ".dockerignore": "*.env\nrequirements.txt\n",
    }
    context = plan.context(planned(tmp_path, files))
    assert sorted(path for path, _ in context.members) == ["app/.dockerignore", "app/Procfile", "app/app.py"]
    assert context.texts["deps/requirements.txt"] == b"flask"


def test_a_dockerfile_is_sent_even_when_dockerignore_names_it(tmp_path: Path) -> None:
    context = plan.context(planned(tmp_path, {"Dockerfile": "FROM x", ".dockerignore": "*\n", "a": ""}))
    assert [path for path, _ in context.members] == ["Dockerfile"]
