"""An app says how it is built: a sub-folder, a Dockerfile elsewhere, build args, a builder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import building_support as support
from wherry.building import plan
from wherry.building.archive import open_tree
from wherry.building.buildpack import load_all
from wherry.building.plan import Planned
from wherry.errors import DeployFailed
from wherry.model.build_settings import BuildSettings

MONOREPO = {
    "README.md": "two apps",
    "Procfile": "web: not this one",
    "apps/web/Procfile": "web: python app.py",
    "apps/web/requirements.txt": "",
    "apps/web/.dockerignore": "secret",
    "apps/web/secret": "x",
    "apps/web/app.py": "",
    "apps/api/Dockerfile": "FROM base\nCMD true\n",
}


def planned(folder: Path, files: support.Files, lines: list[str] | None = None, **settings: Any) -> Planned:
    source = support.push(folder, files)
    return plan.plan(open_tree(source.archive), load_all(support.PACKS), ([] if lines is None else lines).append, BuildSettings(**settings))


def test_a_sub_folder_is_the_whole_app(tmp_path: Path) -> None:
    made = planned(tmp_path, MONOREPO, dir="apps/web")
    assert made.processes == {"web": "python app.py"}
    assert {path for path, _ in plan.context(made).members} == {"app/.dockerignore", "app/Procfile", "app/app.py", "app/requirements.txt"}


def test_a_sub_folder_may_have_a_dockerfile(tmp_path: Path) -> None:
    made = planned(tmp_path, MONOREPO, dir="apps/api")
    assert (plan.heading(made, ""), [path for path, _ in plan.context(made).members]) == ("-----> Dockerfile", ["Dockerfile"])


def test_a_sub_folder_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match=r"the build folder web is not in the push; folders at its top: apps/") as refused:
        planned(tmp_path, MONOREPO, dir="web")
    assert refused.value.code == "no_build_dir"


def test_a_link_out_of_the_sub_folder_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match="which leaves the app's folder"):
        planned(tmp_path, {"Procfile": "web: x", "web/Procfile": "-> ../Procfile", "web/requirements.txt": ""}, dir="web")


def test_a_dockerfile_may_lie_elsewhere_and_has_its_own_list_of_what_is_left_out(tmp_path: Path) -> None:
    files = {"docker/Prod": "FROM base\nCMD true\n", "docker/Prod.dockerignore": "*.md\ndocker", "a.md": "", "b.txt": "", "Dockerfile": ""}
    made = planned(tmp_path, files, dockerfile="docker/Prod")
    assert plan.heading(made, "") == "-----> Dockerfile (docker/Prod)"
    assert [path for path, _ in plan.context(made).members] == ["Dockerfile", "b.txt", "docker/Prod"]


def test_a_dockerfile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match="ask for docker/Prod, which is not in the push") as refused:
        planned(tmp_path, {"Dockerfile": "FROM x"}, dockerfile="docker/Prod")
    assert refused.value.code == "no_dockerfile"


def test_a_builder_decides_where_both_ways_are_there(tmp_path: Path) -> None:
    both = {"Dockerfile": "FROM x\nCMD true\n", "requirements.txt": "", "Procfile": "web: x"}
    assert planned(tmp_path / "1", both).buildpack == "dockerfile"
    assert planned(tmp_path / "2", both, builder="buildpack").buildpack == "python"


def test_what_a_buildpack_does_not_know_is_said(tmp_path: Path) -> None:
    lines: list[str] = []
    planned(tmp_path, {"requirements.txt": "", "Procfile": "web: x"}, lines, args={"NODE_ENV": "x"})
    assert lines == [" !     without effect: the build settings arg.NODE_ENV; Python is built by a buildpack, not by a Dockerfile"]


@pytest.mark.engine
def test_args_reach_a_dockerfile_in_a_sub_folder(bench: Any, tmp_path: Path) -> None:
    base = next(image.name for image in bench.builder.stacks.show() if "/python:" in image.name and not image.name.endswith("-build"))
    dockerfile = f'FROM {base}\nARG COLOUR\nCOPY mark /mark\nLABEL colour="$COLOUR"\nRUN test "$COLOUR" = "blue sky"\nCMD true\n'
    source = support.push(tmp_path, {"apps/web/docker/Prod": dockerfile, "apps/web/mark": "x"}, bench.app("settings"))
    settings = BuildSettings(dir="apps/web", dockerfile="docker/Prod", args={"COLOUR": "blue sky"})
    built = bench.build(replace(source, settings=settings))
    assert bench.engine.image(built.image).labels["colour"] == "blue sky"
    assert bench.lines[0] == "-----> Dockerfile (docker/Prod)"


def test_the_procfile_lies_elsewhere(tmp_path: Path) -> None:
    files = {"requirements.txt": "", "Procfile": "web: old\n", "deploy/Procfile": "web: new\n"}
    assert planned(tmp_path / "1", files, procfile="deploy/Procfile").processes == {"web": "new"}
    with pytest.raises(DeployFailed, match="the build settings ask for deploy/Profile, which is not in the push") as refused:
        planned(tmp_path / "2", files, procfile="deploy/Profile")
    assert refused.value.code == "no_procfile"
