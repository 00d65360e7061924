"""Images behind a login, images that anybody gets for a token, and secrets of a step, in builds on a real engine."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

import building_support as support
from registry_server import Registry, registry, token_registry
from tiny_image import NAME, TAG, tiny_image
from wherry.building import logins
from wherry.building.builder import Login, Source
from wherry.building.session import Session
from wherry.errors import DeployFailed
from wherry.model import config_var
from wherry.model.build_settings import BuildSettings
from wherry.running import docker_client
from wherry.secret import Secret

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.engine
MARK = "s3cret-of-the-app"


@pytest.fixture(scope="module")
def tiny() -> str:
    client = docker_client.client()
    tiny_image(client)
    client.close()
    return f"{NAME}:{TAG}"


@pytest.fixture(scope="module")
def private(tiny: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, str]]:
    """A registry with a login, and an image in it that this machine does not have."""
    with registry(tmp_path_factory.mktemp("registry")) as theirs:
        yield theirs, given(theirs, tiny)


def given(theirs: Registry, tiny: str) -> str:
    text = f'FROM {tiny}\nRUN echo from {theirs.server} >/mark\nCMD ["cat", "/mark"]\n'.encode()
    local = f"{theirs.server}/src"
    subprocess.run(["docker", "build", "-q", "-t", local, "-"], input=text, check=True, capture_output=True)
    full = theirs.push(local, "me/base:v1")
    subprocess.run(["docker", "rmi", "-f", local], check=True, capture_output=True)
    return full


@pytest.fixture
def known(bench: Bench, private: tuple[Registry, str]) -> Iterator[Registry]:
    """The platform is logged in at the registry."""
    theirs = private[0]
    logins.put(bench.settings, theirs.server, Login(theirs.user, Secret(theirs.password)))
    yield theirs
    logins.remove(bench.settings, theirs.server)


def pushed(folder: Path, bench: Bench, text: str, config: dict[str, str] | None = None, args: dict[str, str] | None = None) -> Source:
    source = support.push(folder, {"Dockerfile": text}, bench.app("session"))
    secrets = {name: Secret(value) for name, value in (config or {}).items()}
    return dataclasses.replace(source, config=secrets, settings=BuildSettings(args=args or {}))


def said(image: str, *argv: str) -> str:
    client = docker.from_env()
    try:
        return client.containers.run(image, list(argv) or None, remove=True).decode()  # type: ignore[no-any-return]
    finally:
        client.close()


@pytest.mark.parametrize(
    "text",
    [
        "FROM {image}\nRUN true {mark}\n",
        "ARG WHERE\nFROM $WHERE/me/base:v1\nRUN true {mark}\n",
        "FROM {tiny} AS start\nFROM {image} AS from\nRUN true {mark}\nFROM start\nCOPY --from=from /mark /mark\nCMD cat /mark\n",
        "FROM {tiny}\nRUN true {mark}\nCOPY --from={image} /mark /mark\nCMD cat /mark\n",
    ],
    ids=["FROM", "FROM with an ARG", "an earlier stage", "COPY --from"],
)
def test_an_image_behind_a_login_is_built_on(
    text: str, bench: Bench, known: Registry, private: tuple[Registry, str], tiny: str, tmp_path: Path
) -> None:
    text = text.format(image=private[1], tiny=tiny, mark=support.unique("m"))
    built = bench.build(pushed(tmp_path, bench, text, args={"WHERE": known.server}))
    assert said(built.image) == f"from {known.server}\n"
    told = subprocess.run(["docker", "history", "--no-trunc", built.image], check=True, capture_output=True).stdout.decode()
    assert known.password not in told


def test_without_a_login_the_push_says_how_to_give_one(bench: Bench, private: tuple[Registry, str], tmp_path: Path) -> None:
    theirs, image = private
    with pytest.raises(DeployFailed) as refused:
        bench.build(pushed(tmp_path, bench, f"FROM {image.replace('v1', 'v2')}\n"))
    assert (refused.value.code, refused.value.message) == (
        "registry_refused",
        f"{theirs.server} does not give us {theirs.server}/me/base:v2",
    )
    assert f"wherry registry:login {theirs.server} USER" in refused.value.hint


def test_a_login_that_is_no_longer_right_is_named(bench: Bench, private: tuple[Registry, str], tmp_path: Path) -> None:
    theirs, image = private
    logins.put(bench.settings, theirs.server, Login(theirs.user, Secret("changed since")))
    try:
        with pytest.raises(DeployFailed) as refused:
            bench.build(pushed(tmp_path, bench, f"FROM {image.replace('v1', 'v3')}\n"))
    finally:
        logins.remove(bench.settings, theirs.server)
    assert refused.value.code == "registry_refused"
    assert refused.value.message.endswith("though we come as alice")
    assert "changed since" not in str(refused.value) + "".join(refused.value.evidence)


def test_a_tag_that_the_registry_does_not_have(bench: Bench, known: Registry, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        bench.build(pushed(tmp_path, bench, f"FROM {known.server}/me/base:none\n"))
    assert (refused.value.code, refused.value.message) == ("no_such_image", f"{known.server} has no image {known.server}/me/base:none")


def test_an_image_that_everybody_gets_for_a_token_as_at_docker_hub(bench: Bench, tiny: str, tmp_path: Path) -> None:
    with token_registry(tmp_path / "hub") as hub:
        image = given(hub, tiny)
        built = bench.build(pushed(tmp_path / "app", bench, f"FROM {image}\nRUN true {support.unique('m')}\n"))
        assert said(built.image) == f"from {hub.server}\n"


def test_a_step_reads_a_config_var_as_a_secret_that_no_layer_keeps(bench: Bench, tiny: str, tmp_path: Path) -> None:
    text = f"FROM {tiny}\nRUN --mount=type=secret,id=TOKEN wc -c </run/secrets/TOKEN >/size && echo {support.unique('m')}\nCMD cat /size\n"
    built = bench.build(pushed(tmp_path, bench, text, {"TOKEN": MARK, "OTHER": "x"}))
    assert said(built.image) == f"{len(MARK)}\n"
    assert said(built.image, "sh", "-c", "cat /run/secrets/TOKEN 2>/dev/null || echo none") == "none\n"
    saved = subprocess.run(["docker", "save", built.image], check=True, capture_output=True).stdout
    assert MARK.encode() not in saved


def test_the_largest_config_vars_there_may_be_come_as_secrets_byte_for_byte(bench: Bench, tiny: str, tmp_path: Path) -> None:
    """Each is larger than what may be sent before the engine gives leave for more, and so is their sum."""
    config = {f"TOKEN_{number}": f"{number}" * config_var.MAX_VALUE for number in range(4)}
    mounts = " ".join(f"--mount=type=secret,id={name}" for name in config)
    text = f"FROM {tiny}\nRUN {mounts} : {support.unique('m')}; cat /run/secrets/TOKEN_* | md5sum >/sum\nCMD cat /sum\n"
    wanted = hashlib.md5("".join(config.values()).encode(), usedforsecurity=False).hexdigest()
    assert said(bench.build(pushed(tmp_path, bench, text, config)).image) == f"{wanted}  -\n"


def test_a_secret_that_a_step_needs_and_nobody_set(bench: Bench, tiny: str, tmp_path: Path) -> None:
    text = f"FROM {tiny}\nRUN --mount=type=secret,id=TOKEN,required=true true {support.unique('m')}\n"
    with pytest.raises(DeployFailed) as refused:
        bench.build(pushed(tmp_path, bench, text))
    assert (refused.value.code, refused.value.message) == (
        "secret_missing",
        "a step asks for the secret TOKEN, and there is no config var of that name",
    )


def test_an_ssh_key_is_not_given(bench: Bench, tiny: str, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed) as refused:
        bench.build(pushed(tmp_path, bench, f"FROM {tiny}\nRUN --mount=type=ssh,required=true true {support.unique('m')}\n"))
    assert refused.value.message == "a step asks for an SSH key (--mount=type=ssh), which builds do not get"


def test_a_session_lives_on_while_the_engine_asks_whether_it_does(
    bench: Bench, known: Registry, private: tuple[Registry, str], tiny: str, tmp_path: Path
) -> None:
    """Docker 20.10 asks every second, later engines less often; who does not answer is hung up on."""
    text = f"FROM {tiny} AS first\nRUN sleep 3; echo {support.unique('m')} >/first\n"
    text += f"FROM {private[1]}\nCOPY --from=first /first /first\n"
    assert said(bench.build(pushed(tmp_path, bench, text)).image) == f"from {known.server}\n"


def test_an_engine_that_gives_no_session(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Session(str(tmp_path / "nothing.sock"), lambda _: None)
