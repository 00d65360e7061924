"""Cloud Native Buildpacks: who asks for them and in which words, and a real lifecycle that builds an app on a real engine."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

import building_support as support
from served_support import served
from tiny_image import NAME, TAG, tiny_image
from wherry.building import cnb, plan
from wherry.building.archive import open_tree
from wherry.building.buildkit import BuildKit
from wherry.building.buildkit_builder import BuildKitBuilder
from wherry.building.context import Context
from wherry.building.memory_builder import MemoryBuilder
from wherry.building.solve import Image, Solve
from wherry.errors import DeployFailed
from wherry.model.build_settings import BuildSettings
from wherry.running import docker_client
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench

FIXTURE = Path(__file__).parents[1] / "fixtures" / "cnb"
LIFECYCLE = "github.com/buildpacks/lifecycle"
LIFECYCLE_VERSION = "v0.20.11"
BUILDER, RUN = "wherry-test/cnb-builder:1", "wherry-test/cnb-run:1"
PROJECT = f'[_]\nschema-version = "0.2"\n\n[io.buildpacks]\nbuilder = "{BUILDER}"\n'
APP = {"project.toml": PROJECT, "boat.txt": "skiff"}
TOLD = {"lifecycle": {"version": "0.20.11", "apis": {"platform": {"supported": ["0.11", "0.12", "0.14"]}}}, "images": [{"image": RUN}]}


def chosen(folder: Path, files: dict[str, str], settings: BuildSettings | None = None, builder: str = "") -> cnb.CloudNative | None:
    return cnb.choose(support.tree(folder, files), settings or BuildSettings(), builder)


def test_a_project_that_names_a_builder_is_built_by_it(tmp_path: Path) -> None:
    found = chosen(tmp_path, APP)
    assert found is not None
    assert (found.builder.text, found.origin) == (BUILDER, "project.toml")
    assert cnb.heading(found) == f"-----> Cloud Native Buildpacks of {BUILDER} (project.toml)"


def test_the_platforms_builder_builds_what_asks_and_names_none(tmp_path: Path) -> None:
    group = {"project.toml": '[[io.buildpacks.group]]\nid = "test/boat"\nversion = "1.0.0"\n[[io.buildpacks.group]]\nid = "test/oar"\n'}
    found = chosen(tmp_path, group, builder="heroku/builder:24")
    assert found is not None
    assert (found.builder.text, found.origin) == ("heroku/builder:24", "WHERRY_CNB_BUILDER")
    assert cnb.order_toml(found) == (
        '[[order]]\n\n[[order.group]]\nid = "test/boat"\nversion = "1.0.0"\n\n[[order.group]]\nid = "test/oar"\n'
    )
    assert chosen(tmp_path / "no", group) is None
    assert chosen(tmp_path / "plain", {"boat.txt": ""}, builder="heroku/builder:24") is None
    assert chosen(tmp_path / "set", {"boat.txt": ""}, BuildSettings(builder="cnb"), "heroku/builder:24") is not None


def test_the_older_form_of_a_project_is_read_too(tmp_path: Path) -> None:
    old = '[project]\nid = "x"\n[build]\n[[build.buildpacks]]\nid = "test/boat"\n[[build.env]]\nname = "SAIL"\nvalue = "up"\n'
    found = chosen(tmp_path, {"project.toml": old}, builder="heroku/builder:24")
    assert found is not None
    assert (found.order, found.env) == ((("test/boat", ""),), {"SAIL": Secret("up")})


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("[io.buildpacks\n", "project_toml_invalid", "project.toml can not be read: "),
        ('[io.buildpacks]\nbuilder = "Not An Image"\n', "cnb_unavailable", "project.toml: image 'Not An Image': give a name such as"),
        (
            f'{PROJECT}[[io.buildpacks.group]]\nuri = "docker://x/y"\n',
            "project_toml_invalid",
            "project.toml names the buildpack docker://x/y",
        ),
        (f'{PROJECT}[[io.buildpacks.group]]\nid = "a\\nb"\n', "project_toml_invalid", "project.toml names the buildpack a\\nb"),
        (
            f'{PROJECT}[[io.buildpacks.build.env]]\nname = "A B"\nvalue = "1"\n',
            "project_toml_invalid",
            "project.toml: [[io.buildpacks.build.env]]",
        ),
        (f'{PROJECT}[[io.buildpacks.pre.group]]\nid = "a/b"\n', "project_toml_invalid", "project.toml: io.buildpacks.pre is not supported"),
        (f'{PROJECT}include = ["a"]\nexclude = ["b"]\n', "project_toml_invalid", "project.toml has include and exclude"),
        (f'{PROJECT}exclude = "docs"\n', "project_toml_invalid", "project.toml: exclude is a list of patterns"),
        (f'{PROJECT}exclude = ["!docs"]\n', "project_toml_invalid", 'project.toml: patterns of exclude can not begin with "!"'),
    ],
)
def test_a_project_that_can_not_be_used_is_refused(text: str, code: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        chosen(tmp_path, {"project.toml": text})
    assert (refused.value.code, refused.value.message[: len(message)]) == (code, message)
    assert refused.value.hint


def test_a_setting_without_a_builder_says_how_to_name_one(tmp_path: Path) -> None:
    source = dataclasses.replace(support.push(tmp_path, {"boat.txt": ""}), settings=BuildSettings(builder="cnb"))
    with pytest.raises(DeployFailed, match="the build settings ask for Cloud Native Buildpacks, and there is no lifecycle") as refused:
        MemoryBuilder().build(source, print)
    assert "WHERRY_CNB_BUILDER=" in refused.value.hint


def test_a_setting_may_name_the_builder_itself(tmp_path: Path) -> None:
    found = chosen(tmp_path, APP, BuildSettings(builder="cnb:mirror.example.org/builder:2"), "heroku/builder:24")
    assert found is not None
    assert (found.builder.text, found.origin) == ("mirror.example.org/builder:2", "the build settings")


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("", ["boat.txt", "docs/a.md", "project.toml", "src/main.go", "src/notes.md"]),
        ('exclude = ["/docs", "*.md"]', ["boat.txt", "project.toml", "src/main.go"]),
        ('include = ["src/", "boat.txt"]', ["boat.txt", "src/main.go", "src/notes.md"]),
    ],
)
def test_a_project_says_which_files_go_into_the_build(line: str, kept: list[str], tmp_path: Path) -> None:
    files = {"project.toml": f"{PROJECT}{line}\n", "boat.txt": "", "docs/a.md": "", "src/main.go": "", "src/notes.md": ""}
    found = chosen(tmp_path, files)
    assert found is not None
    assert sorted(found.keeps(files)) == kept


def test_keys_without_effect_are_named(tmp_path: Path) -> None:
    source = support.push(tmp_path, {**APP, "project.toml": f'{PROJECT}sparkle = "yes"\n'})
    lines: list[str] = []
    plan.plan(open_tree(source.archive), [], lines.append)
    assert lines == [" !     without effect in project.toml: io.buildpacks.sparkle"]


def test_a_dockerfile_and_classic_buildpacks_go_before_a_project(tmp_path: Path) -> None:
    lines: list[str] = []
    MemoryBuilder().build(support.push(tmp_path, {**APP, "Dockerfile": "FROM x\nCMD x\n"}), lines.append)
    assert lines[0] == "-----> Dockerfile"


def image(labels: dict[str, str], env: tuple[str, ...] = ("CNB_USER_ID=1001", "CNB_GROUP_ID=1000")) -> Image:
    return Image("sha256:1", 1, "", True, (), "amd64", labels, (), (), env)


def test_a_builder_image_is_read_by_its_labels() -> None:
    told = cnb.lifecycle_of(image({cnb.METADATA: json.dumps(TOLD)}), "b")
    assert told == cnb.Lifecycle("0.14", RUN, 1001, 1000)
    old = {"lifecycle": {"api": {"platform": "0.9"}}, "stack": {"runImage": {"image": "heroku/heroku:24-cnb"}}}
    assert cnb.lifecycle_of(image({cnb.METADATA: json.dumps(old)}), "b").run == "heroku/heroku:24-cnb"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (image({}), "b is no builder image for Cloud Native Buildpacks"),
        (image({cnb.METADATA: "{"}), "b is no builder image for Cloud Native Buildpacks"),
        (image({cnb.METADATA: json.dumps(TOLD)}, ()), "b is no builder image for Cloud Native Buildpacks"),
        (
            image({cnb.METADATA: json.dumps({**TOLD, "lifecycle": {"api": {"platform": "0.3"}}})}),
            "the lifecycle in b is of another time: it speaks 0.3",
        ),
    ],
)
def test_what_is_no_builder_of_ours_is_refused(found: Image, message: str) -> None:
    with pytest.raises(DeployFailed) as refused:
        cnb.lifecycle_of(found, "b")
    assert (refused.value.code, refused.value.message) == ("cnb_unavailable", message)


def test_processes_are_those_that_the_buildpacks_name() -> None:
    left = b'[[processes]]\ntype = "run"\ncommand = ["x"]\ndefault = true\n[[processes]]\ntype = "worker"\ncommand = ["y"]\n'
    assert cnb.processes(left) == {"run": "/cnb/process/run", "worker": "/cnb/process/worker", "web": "/cnb/process/run"}
    with pytest.raises(DeployFailed, match="nothing says what to run"):
        cnb.processes(b"")


@pytest.fixture(scope="module")
def builder(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuildKitBuilder]:
    """A builder image with the lifecycle's own programs, compiled here, and the platform that may use it."""
    folder = tmp_path_factory.mktemp("cnb")
    if bench.engine.image(BUILDER) is None:
        make_builder(bench, folder)
    yield BuildKitBuilder(bench.settings, bench.engine)


def make_builder(bench: Bench, folder: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("the lifecycle is compiled with Go, which is not here")
    client = docker_client.client()
    tiny_image(client)
    client.close()
    base = next(image.name for image in bench.builder.stacks.show() if "/base:" in image.name)
    context = Context()
    for path in filter(Path.is_file, (FIXTURE / "buildpack").rglob("*")):
        context.add_text(str(path.relative_to(FIXTURE)), path.read_bytes())
    for name, data in compiled(folder).items():
        context.add_text(name, data)
    context.add_text("Dockerfile", (FIXTURE / "Dockerfile").read_bytes())
    labels = {cnb.METADATA: json.dumps(TOLD)}
    for target, tag in (("run", RUN), ("builder", BUILDER)):
        wish = Solve(context.stream(), tag, target=target, labels=labels, args={"BASE": base, "TOOLS": f"{NAME}:{TAG}"})
        bench.engine.solve(wish, lambda _: None, lambda: None, lambda: False, 300)


def compiled(folder: Path) -> dict[str, bytes]:
    """The lifecycle and the launcher, from the Go module proxy; some minutes."""
    wanted = ["go", "mod", "download", "-json", f"{LIFECYCLE}@{LIFECYCLE_VERSION}"]
    told = json.loads(subprocess.run(wanted, cwd=folder, check=True, capture_output=True).stdout)
    source = folder / "source"
    shutil.copytree(told["Dir"], source, copy_function=shutil.copyfile)
    flags = f"-s -w -X {LIFECYCLE}/cmd.Version={LIFECYCLE_VERSION.removeprefix('v')}"
    for name in ("lifecycle", "launcher"):
        argv = ["env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-ldflags", flags, "-o", str(folder / name), f"./cmd/{name}"]
        subprocess.run(argv, cwd=source, check=True)
    return {name: (folder / name).read_bytes() for name in ("lifecycle", "launcher")}


def build(builder: BuildKitBuilder, bench: Bench, source: Any, *, no_cache: bool = False, config: dict[str, str] | None = None) -> Any:
    bench.lines = []
    source = dataclasses.replace(source, config={name: Secret(value) for name, value in (config or {}).items()})
    return builder.build(source, bench.lines.append, no_cache=no_cache)


def said(image: str, *argv: str) -> str:
    client = docker.from_env()
    try:
        return client.containers.run(image, list(argv), remove=True).decode()  # type: ignore[no-any-return]
    finally:
        client.close()


@pytest.mark.engine
@pytest.mark.slow
def test_an_app_is_built_by_the_lifecycle_and_served(builder: BuildKitBuilder, bench: Bench, tmp_path: Path) -> None:
    app = bench.app("cnb")
    built = build(builder, bench, support.push(tmp_path, APP, app), config={"GREETING": "ahoy"})
    assert (built.buildpack, built.port, built.root) == ("cnb", None, False)
    assert built.processes == {"web": "/cnb/process/web", "worker": "/cnb/process/worker"}
    assert bench.lines[0] == f"-----> Cloud Native Buildpacks of {BUILDER} (project.toml)"
    assert any("test/boat 1.0.0" in line for line in bench.lines), bench.lines
    with served(built) as shop:
        assert shop.get("/greeting.txt") == "ahoy"
        assert shop.get("/builds.txt") == "1\n"
    assert said(built.image, "/bin/sh", "-c", "exec /cnb/process/worker") == "rowed by skiff\n"
    assert said(built.image, "/bin/sh", "-c", "row; id -u; pwd; ls /layers/test_boat") == "rowed by skiff\n1001\n/workspace\nhull\ntools\n"


@pytest.mark.engine
@pytest.mark.slow
def test_layers_are_kept_between_builds_unless_they_are_asked_for_anew(builder: BuildKitBuilder, bench: Bench, tmp_path: Path) -> None:
    app = bench.app("cnb-again")
    first = build(builder, bench, support.push(tmp_path, APP, app))
    assert any("hull made" in line for line in bench.lines)
    second = build(builder, bench, support.push(tmp_path, {"other.txt": "2"}, app))
    assert any("hull as it was" in line for line in bench.lines)
    look = ("/bin/sh", "-c", "cat builds.txt /layers/test_boat/hull/mark")
    one, two = said(first.image, *look).split(), said(second.image, *look).split()
    assert (one[0], two[0]) == ("1", "2")
    assert one[1] == two[1]
    fresh = build(builder, bench, support.push(tmp_path, {"other.txt": "3"}, app), no_cache=True)
    assert said(fresh.image, *look).split()[0] == "1"


@pytest.mark.engine
@pytest.mark.slow
def test_config_vars_are_in_no_layer_of_the_image(builder: BuildKitBuilder, bench: Bench, tmp_path: Path) -> None:
    built = build(builder, bench, support.push(tmp_path, APP, bench.app("cnb-secret")), config={"TOKEN": "hunter2-of-the-app"})
    saved = subprocess.run(["docker", "save", built.image], check=True, capture_output=True).stdout
    assert b"hunter2-of-the-app" not in saved


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "code", "message"),
    [
        ({"project.toml": PROJECT, "notes.txt": ""}, "buildpack_refused", "no buildpack of the builder knows this app"),
        ({**APP, "fail.txt": ""}, "cnb_failed", "a buildpack failed with exit code 7"),
        (
            {"project.toml": PROJECT.replace(BUILDER, f"{NAME}:{TAG}"), "boat.txt": ""},
            "cnb_unavailable",
            f"{NAME}:{TAG} is no builder image for Cloud Native Buildpacks",
        ),
        (
            {"project.toml": PROJECT.replace(BUILDER, "127.0.0.1:1/builder:1"), "boat.txt": ""},
            "cnb_unavailable",
            "no builder image: 127.0.0.1:1 can not be reached: ",
        ),
    ],
    ids=["nobody knows the app", "a buildpack fails", "no builder image", "a registry that does not answer"],
)
def test_a_build_that_fails_says_why(
    files: dict[str, str], code: str, message: str, builder: BuildKitBuilder, bench: Bench, tmp_path: Path
) -> None:
    with pytest.raises(DeployFailed) as refused:
        build(builder, bench, support.push(tmp_path, files, bench.app("cnb-broken")))
    assert (refused.value.code, refused.value.message[: len(message)]) == (code, message), refused.value.evidence
    assert refused.value.hint


@pytest.mark.engine
@pytest.mark.slow
def test_a_builder_of_the_setting_builds_what_it_knows(bench: Bench, builder: BuildKitBuilder, tmp_path: Path) -> None:
    theirs = BuildKitBuilder(dataclasses.replace(bench.settings, cnb_builder=BUILDER), BuildKit())
    source = support.push(
        tmp_path, {"boat.txt": "raft", "app.json": '{"scripts": {"dokku": {"predeploy": "row >rowed.txt"}}}'}, bench.app("raft")
    )
    built = build(theirs, bench, dataclasses.replace(source, settings=BuildSettings(builder="cnb")))
    assert bench.lines[0] == f"-----> Cloud Native Buildpacks of {BUILDER} (WHERRY_CNB_BUILDER)"
    assert said(built.image, "/bin/sh", "-c", "cat rowed.txt") == "rowed by raft\n"
