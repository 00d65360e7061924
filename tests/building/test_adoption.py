"""Images from a real registry behind a real login, made an app's own on a real engine."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import building_support as support
from registry_server import Registry, registry
from tiny_image import tiny_image
from wherry.building.builder import Login
from wherry.errors import DeployFailed, Forbidden, NotFound
from wherry.model.origin import loaded_name, parse_image, parse_image_here
from wherry.receiving.saved_image import convert
from wherry.running import docker_client
from wherry.secret import Secret

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("registry")) as made:
        yield made


@pytest.fixture(scope="module")
def name(theirs: Registry) -> Iterator[str]:
    """An image that this machine does not have any more under the registry's name."""
    client = docker_client.client()
    tiny = tiny_image(client)
    client.close()
    dockerfile = f'FROM {tiny}\nEXPOSE 8080\nENV MARK=kept\nCMD ["/tiny"]\n'.encode()
    subprocess.run(["docker", "build", "-q", "-t", f"{theirs.server}/src", "-"], input=dockerfile, check=True, capture_output=True)
    try:
        yield theirs.push(f"{theirs.server}/src", "me/app:v1")
    finally:
        subprocess.run(["docker", "rmi", "-f", f"{theirs.server}/src", f"{theirs.server}/me/app:v1"], check=False, capture_output=True)


def me(theirs: Registry) -> Login:
    return Login(theirs.user, Secret(theirs.password))


def test_an_image_is_fetched_and_becomes_the_apps_own(bench: Any, theirs: Registry, name: str) -> None:
    lines: list[str] = []
    app = bench.app("adopted")
    fetched = bench.builder.fetch(parse_image(name), me(theirs), lines.append)
    assert fetched.digest.startswith("sha256:")
    built = bench.builder.adopt(app, fetched, lines.append)
    assert (built.processes, built.port, built.root, built.buildpack) == ({"web": ""}, 8080, True, "image")
    image = bench.engine.image(built.image)
    assert (image.labels["wherry.app"], image.labels["wherry.digest"]) == (app, fetched.digest)
    assert [tag for tag in image.tags if "fetched-" in tag] == []
    assert bench.builder.adopt(app, fetched, lines.append).image == built.image
    bench.builder.let_go(fetched)
    assert bench.engine.image(name) is None
    again = bench.builder.fetch(parse_image(f"{name.rpartition(':')[0]}@{fetched.digest}"), me(theirs), lines.append)
    assert (again.digest, again.brought) == (fetched.digest, True)
    bench.builder.let_go(again)
    assert bench.engine.image(built.image)
    assert lines[0] == f"-----> Fetching {name} from {theirs.server}"


@pytest.mark.parametrize("password", [None, "wrong"])
def test_without_the_right_login_there_is_no_image(bench: Any, theirs: Registry, name: str, password: str | None) -> None:
    login = Login(theirs.user, Secret(password)) if password else None
    with pytest.raises(Forbidden, match="does not give us") as refused:
        bench.builder.fetch(parse_image(name.replace("v1", "v2")), login, print)
    assert f"wherry registry:login {theirs.server} {theirs.user if password else 'USER'}" in refused.value.hint


def test_an_image_that_is_not_there(bench: Any, theirs: Registry) -> None:
    with pytest.raises(NotFound, match="has no image"):
        bench.builder.fetch(parse_image(f"{theirs.server}/me/nothing:v1"), me(theirs), print)


def test_an_image_of_this_machine_alone_is_taken_by_its_name_and_by_its_id(bench: Any, theirs: Registry, name: str) -> None:
    client = docker_client.client()
    tiny = tiny_image(client)
    client.close()
    local = f"{theirs.server}/me/{support.unique('local')}:v1"
    made = subprocess.run(
        ["docker", "build", "-q", "-t", local, "-"], input=f"FROM {tiny}\nLABEL a=b\n".encode(), check=True, capture_output=True
    )
    image = made.stdout.decode().split()[-1]
    try:
        lines: list[str] = []
        for asked in (local, image, image.removeprefix("sha256:")[:12]):
            fetched = bench.builder.fetch(parse_image_here(asked), me(theirs), lines.append)
            assert (fetched.image, fetched.brought) == (image, False)
            bench.builder.let_go(fetched)
        assert lines[1] == f" !     {theirs.server} has no image {local}; what this machine has of that name is taken"
        assert lines[2].startswith(f"       {image[:19]}, ") and lines[2].endswith(" UTC")
        assert lines[3] == f"-----> Taking image {image.removeprefix('sha256:')[:12]} from this machine"
        built = bench.builder.adopt(bench.app("local"), fetched, lines.append)
        with pytest.raises(DeployFailed, match="was made by Wherry for the app local") as refused:
            bench.builder.fetch(parse_image_here(built.image), None, print)
        assert refused.value.code == "image_of_app"
        assert bench.engine.image(local), "what others named is theirs"
    finally:
        subprocess.run(["docker", "rmi", "-f", local], check=False, capture_output=True)
    with pytest.raises(NotFound, match="this machine has no image ffffffffffff"):
        bench.builder.fetch(parse_image_here("f" * 12), None, print)


def test_an_image_out_of_an_archive_is_the_apps_alone(bench: Any, tmp_path: Path) -> None:
    client = docker_client.client()
    tiny = tiny_image(client)
    client.close()
    theirs, app = f"{support.unique('saved')}:v1", bench.app("saved")
    build = ["docker", "build", "-q", "-t", theirs, "-"]
    subprocess.run(build, input=f"FROM {tiny}\nLABEL a=b\n".encode(), check=True, capture_output=True)
    try:
        (tmp_path / "sent").write_bytes(subprocess.run(["docker", "image", "save", theirs], check=True, capture_output=True).stdout)
        subprocess.run(build, input=f"FROM {tiny}\nLABEL a=c\n".encode(), check=True, capture_output=True)
        before = bench.engine.image(theirs)
        name_of = partial(loaded_name, bench.settings.name, app)
        made = convert(tmp_path / "sent", tmp_path / "made", theirs, lambda digest: name_of(digest).text, 2**30)
        lines: list[str] = []
        fetched = bench.builder.load(name_of(made.digest), tmp_path / "made", lines.append)
        built = bench.builder.adopt(app, fetched, lines.append)
        bench.builder.let_go(fetched)
        image = bench.engine.image(built.image)
        assert (image.labels["a"], image.labels["wherry.app"]) == ("b", app)
        assert [tag for tag in image.tags if "loaded-" in tag] == [] and bench.engine.image(fetched.name.text) is None
        assert bench.engine.image(theirs) == before, "the name of the archive still means what it meant here"
        assert lines[0].startswith(f"       {fetched.image[:19]}, ")
    finally:
        subprocess.run(["docker", "rmi", "-f", theirs], check=False, capture_output=True)


def test_an_image_that_runs_here_without_a_name_may_be_loaded_too(bench: Any, tmp_path: Path) -> None:
    client = docker_client.client()
    tiny = tiny_image(client)
    theirs = f"{support.unique('saved')}:v1"
    build = ["docker", "build", "-q", "-t", theirs, "-"]
    container = None
    try:
        subprocess.run(build, input=f"FROM {tiny}\nLABEL a=b\n".encode(), check=True, capture_output=True)
        (tmp_path / "sent").write_bytes(subprocess.run(["docker", "image", "save", theirs], check=True, capture_output=True).stdout)
        container = client.containers.run(theirs, ["sleep", "600"], detach=True, init=True)
        subprocess.run(build, input=f"FROM {tiny}\nLABEL a=c\n".encode(), check=True, capture_output=True)
        name = loaded_name(bench.settings.name, "saved", "1" * 64)
        convert(tmp_path / "sent", tmp_path / "made", theirs, lambda _: name.text, 2**30)
        fetched = bench.builder.load(name, tmp_path / "made", print)
        bench.builder.let_go(fetched)
        container.reload()
        assert container.status == "running" and bench.engine.image(fetched.image)
    finally:
        if container:
            image = container.image.id
            container.remove(force=True)
            subprocess.run(["docker", "rmi", "-f", image], check=False, capture_output=True)
        subprocess.run(["docker", "rmi", "-f", theirs], check=False, capture_output=True)
        client.close()


def test_an_image_of_an_app_in_an_archive_is_refused_and_goes_again(bench: Any, tmp_path: Path) -> None:
    client = docker_client.client()
    tiny = tiny_image(client)
    client.close()
    theirs = f"{support.unique('saved')}:v1"
    build = ["docker", "build", "-q", "-t", theirs, "-"]
    subprocess.run(build, input=f"FROM {tiny}\nLABEL wherry.app=other\n".encode(), check=True, capture_output=True)
    try:
        (tmp_path / "sent").write_bytes(subprocess.run(["docker", "image", "save", theirs], check=True, capture_output=True).stdout)
        name = loaded_name(bench.settings.name, "saved", "0" * 64)
        convert(tmp_path / "sent", tmp_path / "made", theirs, lambda _: name.text, 2**30)
        with pytest.raises(DeployFailed, match="the image was made by Wherry for the app other"):
            bench.builder.load(name, tmp_path / "made", print)
        assert bench.engine.image(name.text) is None
    finally:
        subprocess.run(["docker", "rmi", "-f", theirs], check=False, capture_output=True)


def test_an_archive_that_the_engine_does_not_take_is_refused(bench: Any, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "made", "w") as tar:
        for name, data in {"config.json": b"{}", "manifest.json": b'[{"Config": "config.json", "Layers": ["layer-0.tar"]}]'}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    with pytest.raises(DeployFailed, match="the engine does not take the image") as refused:
        bench.builder.load(loaded_name(bench.settings.name, "saved", "0" * 64), tmp_path / "made", print)
    assert refused.value.code == "archive_unreadable" and refused.value.evidence


def test_a_registry_that_is_not_there(bench: Any) -> None:
    with pytest.raises(DeployFailed, match=r"127\.0\.0\.1:1 can not be reached"):
        bench.builder.fetch(parse_image("127.0.0.1:1/me/app"), None, print)


def test_a_login_is_tried(bench: Any, theirs: Registry) -> None:
    bench.builder.check_login(theirs.server, me(theirs))
    with pytest.raises(Forbidden, match="refuses this user and password"):
        bench.builder.check_login(theirs.server, Login(theirs.user, Secret("wrong")))
    with pytest.raises(DeployFailed):
        bench.builder.check_login("127.0.0.1:1", me(theirs))


def test_an_image_without_anything_to_run_is_refused(bench: Any, theirs: Registry) -> None:
    empty = subprocess.run(["docker", "import", "-"], input=bytes(10240), check=True, capture_output=True).stdout.decode().strip()
    full = theirs.push(empty, "me/empty:v1")
    try:
        fetched = bench.builder.fetch(parse_image(full), me(theirs), print)
        with pytest.raises(DeployFailed, match=r"nothing says what to run|the image is for"):
            bench.builder.adopt(bench.app("empty"), fetched, print)
    finally:
        subprocess.run(["docker", "rmi", "-f", full, empty], check=False, capture_output=True)
