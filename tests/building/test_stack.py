"""Base images: from a registry where one answers, else from the distribution's packages, under the same names."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

import building_support as support
from free_ports import free_port
from wherry.building import debian
from wherry.building.buildkit_builder import BuildKitBuilder
from wherry.building.stack import OWNER
from wherry.errors import DeployFailed, InvalidInput

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.engine
APP = {"requirements.txt": "itsdangerous\n", "Procfile": "web: x\n"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry on loopback; its address."""
    folder = tmp_path_factory.mktemp("registry")
    address = f"127.0.0.1:{free_port()}"
    config = f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: {address}}}\n"
    (folder / "config.yml").write_text(config)
    try:
        argv = ["docker-registry", "serve", str(folder / "config.yml")]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("docker-registry is not installed: apt-get install docker-registry")
    try:
        _wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def official(bench: Bench, registry: str) -> Iterator[str]:
    """A mirror of the Hub that has the default Python image, with what the official one has: python and pip."""
    own = next(image.name for image in bench.builder.stacks.show() if "/python:" in image.name and not image.name.endswith("-build"))
    text = f"FROM {own}-build AS tools\nFROM {own}\nUSER root\nRUN userdel app && rm -r /app\nCOPY --from=tools /opt/uv /opt/uv\n"
    text += 'RUN ln -s /opt/uv/bin/pip /opt/uv/bin/uv /usr/local/bin/\nCMD ["python3"]\n'
    app = bench.app("official")
    folder = Path(bench.settings.home) / app
    built = bench.build(support.push(folder, {"Dockerfile": text}, app))
    client = docker.APIClient()
    name = f"{registry}/library/python"
    client.tag(built.image, name, "3.13-slim")
    for event in client.push(name, "3.13-slim", stream=True, decode=True):
        assert "error" not in event, event
    client.remove_image(f"{name}:3.13-slim")
    yield f"{registry}/library/"
    _forget(client, name)
    client.close()


@pytest.fixture
def mirrored(bench: Bench, official: str, tmp_path: Path) -> Iterator[BuildKitBuilder]:
    """A platform of its own whose official images come from the mirror."""
    chosen = dataclasses.replace(bench.settings, home=tmp_path / "home", name=support.unique("wherry")[:15], registry=official)
    yield BuildKitBuilder(chosen, bench.engine)
    for image in bench.engine.images({OWNER: chosen.name}):
        for tag in image.tags[1:]:
            bench.engine.untag(tag)
        bench.engine.remove(image.id)


def test_official_images_are_used_where_the_registry_answers(mirrored: BuildKitBuilder, tmp_path: Path) -> None:
    lines: list[str] = []
    built = mirrored.build(support.push(tmp_path / "app", APP, "shop"), lines.append)
    stack = mirrored.stacks.current()
    assert stack is not None
    assert (stack.kind, stack.asked) == ("hub", False)
    assert lines[0] == "-----> Base images: official slim images"
    assert any(line.startswith("-----> Python 3.13 (requirements.txt") for line in lines)
    assert built.processes == {"web": "x"}
    assert [image.name.partition("/")[2] for image in mirrored.stacks.show()] == ["python:3.13", "python:3.13-build"]


def test_a_refresh_makes_new_images_that_the_next_build_stands_on(mirrored: BuildKitBuilder, tmp_path: Path) -> None:
    source = support.push(tmp_path / "app", APP, "shop")
    mirrored.build(source, [].append)
    before = [image.id for image in mirrored.stacks.show()]
    mirrored.stacks.refresh([].append)
    assert [image.id for image in mirrored.stacks.show()] != before


def test_ensuring_what_is_there_does_nothing_and_says_nothing(bench: Bench) -> None:
    lines: list[str] = []
    bench.builder.stacks.ensure(lines.append)
    assert lines == []


def test_without_a_registry_the_distributions_packages_are_used(bench: Bench, tmp_path: Path) -> None:
    nowhere = dataclasses.replace(bench.settings, home=tmp_path, registry="127.0.0.1:9/library/")
    lines: list[str] = []
    stack = BuildKitBuilder(nowhere, bench.engine).stacks.ensure(lines.append)
    assert stack.kind == "debian"
    assert lines[0] == f"-----> Base images: made from {stack.base} packages, for Docker Hub does not answer"


def test_the_choice_outlives_a_restart_and_can_be_changed(bench: Bench, tmp_path: Path) -> None:
    settings = dataclasses.replace(bench.settings, home=tmp_path, registry="127.0.0.1:9/library/")
    BuildKitBuilder(settings, bench.engine).stacks.switch("debian", [].append)
    stack = BuildKitBuilder(settings, bench.engine).stacks.current()
    assert stack is not None
    assert (stack.kind, stack.asked) == ("debian", True)


def test_a_switch_to_a_registry_that_does_not_answer_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    settings = dataclasses.replace(bench.settings, home=tmp_path, name=support.unique("wherry")[:15], registry="127.0.0.1:9/library/")
    stacks = BuildKitBuilder(settings, bench.engine).stacks
    with pytest.raises(DeployFailed) as refused:
        stacks.switch("hub", [].append)
    assert refused.value.message == "the Python 3.13 image could not be made"
    assert refused.value.hint == "Docker Hub may be out of reach; try: wherry stack:set debian"
    assert stacks.current() is None


def test_an_unknown_stack_is_refused_with_those_there_are(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match='stack "alpine": give one of hub, debian'):
        bench.builder.stacks.switch("alpine", [].append)


def test_clean_up_takes_only_what_this_platform_made_and_nobody_keeps(mirrored: BuildKitBuilder, bench: Bench, tmp_path: Path) -> None:
    kept = mirrored.build(support.push(tmp_path / "app", APP, "shop"), [].append)
    gone = mirrored.build(support.push(tmp_path / "app", {"more.txt": "x"}, "shop"), [].append)
    other = bench.build(support.push(tmp_path / "other", APP, bench.app("other")))
    mirrored.prune(lambda: {kept.image})
    there = [bench.engine.image(built.image) is not None for built in (kept, gone, other)]
    assert there == [True, False, True]
    assert len(mirrored.stacks.show()) == 2


def _wait_for(address: str) -> None:
    host, _, port = address.partition(":")
    for _ in range(1200):
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on {address}")


def _forget(client: docker.APIClient, name: str) -> None:
    for image in client.images(name):
        for tag in image["RepoTags"] or ():
            client.remove_image(tag)


def test_a_distribution_that_can_not_be_fetched_leaves_no_half_image(bench: Bench, tmp_path: Path) -> None:
    tag = f"{bench.settings.name}/base:{support.unique('no')}"
    with pytest.raises(DeployFailed) as refused:
        debian.make(bench.engine, "no-such-suite", tag, {}, tmp_path)
    assert refused.value.message == "the base image could not be made from this machine's packages: mmdebstrap failed"
    assert refused.value.evidence
    assert bench.engine.image(tag) is None
