"""Whose a volume is, on a real engine: the image's user can write to it, also when a later image runs as another one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine_support import docker_engine, spec
from wherry.errors import DeployFailed
from wherry.running.docker_engine import DockerEngine
from wherry.running.engine import InstanceSpec, VolumeMount

pytestmark = pytest.mark.engine


class Images:
    """The tiny image as it would be with another USER; `without_chown` takes the program out."""

    def __init__(self, engine: DockerEngine, tiny: str) -> None:
        self.engine, self.tiny = engine, tiny
        self.made: dict[tuple[str, bool], str] = {}

    def of_user(self, user: str, without_chown: bool = False) -> str:
        if (user, without_chown) not in self.made:
            self.made[user, without_chown] = self._committed(user, without_chown)
        return self.made[user, without_chown]

    def _committed(self, user: str, without_chown: bool) -> str:
        api = self.engine._api
        words = ["rm", "/bin/chown"] if without_chown else ["true"]
        container = api.create_container(self.tiny, words, labels={"wherry.platform": self.engine.platform})["Id"]
        api.start(container)
        api.wait(container)
        image = str(api.commit(container, changes=[f"USER {user}", 'CMD ["sleep", "60"]'])["Id"])
        api.remove_container(container)
        return image


@pytest.fixture(scope="module")
def images() -> Iterator[Images]:
    with docker_engine("owners") as (engine, tiny):
        engine.ensure_network("shop", "10.223.249.0/24")
        made = Images(engine, tiny)
        yield made
        engine.remove_one_offs()
        for image in made.made.values():
            engine.remove_image(image)


@pytest.fixture
def volume(images: Images) -> Iterator[VolumeMount]:
    mount = VolumeMount("data", f"{images.engine.platform}-data-{os.urandom(3).hex()}", "/srv/data", alone=True)
    yield mount
    images.engine.remove_volume(mount.source)


def run(images: Images, image: str, mount: VolumeMount, command: str) -> str:
    """What `command` prints in a one-off with the volume, as the image's own user."""
    lines: list[str] = []
    wished: InstanceSpec = replace(spec(image, command, "release", 0), mounts=(mount,), root=False)
    ended = images.engine.run(wished, 20, lines.append)
    return f"{ended.exit_code} {' '.join(lines)}"


@pytest.mark.parametrize("user", ["app", "1000", "app:1000"])
def test_the_users_image_may_write_however_its_user_is_named(images: Images, volume: VolumeMount, user: str) -> None:
    image = images.of_user(user)
    assert run(images, image, volume, "echo kept > /srv/data/file && stat -c %u /srv/data /srv/data/file").split() == ["0", "1000", "1000"]
    assert run(images, image, volume, "cat /srv/data/file") == "0 kept"


def test_files_change_hands_when_a_later_image_runs_as_another_user(images: Images, volume: VolumeMount) -> None:
    run(images, images.of_user("1000"), volume, "mkdir /srv/data/in && echo kept > /srv/data/in/file && chmod 700 /srv/data/in")
    later = images.of_user("2000")
    assert run(images, later, volume, "cat /srv/data/in/file && stat -c %u:%g /srv/data/in/file") == "0 kept 2000:0"


def test_an_image_that_can_not_take_files_over_is_refused_with_the_way_out(images: Images, volume: VolumeMount) -> None:
    run(images, images.of_user("1000"), volume, "echo kept > /srv/data/file")
    with pytest.raises(DeployFailed, match="belong to user 1000, and this image runs as user 2000") as raised:
        run(images, images.of_user("2000", without_chown=True), volume, "true")
    assert raised.value.code == "volume_owner"


def test_an_image_that_starts_as_root_does_with_its_volume_what_it_likes(images: Images, volume: VolumeMount) -> None:
    assert run(images, images.tiny, volume, "stat -c %u /srv/data") == "0 0"


def test_a_volume_that_is_only_read_keeps_its_owner_and_its_content(images: Images, volume: VolumeMount) -> None:
    image = images.of_user("1000")
    run(images, image, volume, "echo kept > /srv/data/file")
    try_it = "cat /srv/data/file; touch /srv/data/no 2>/dev/null || echo refused"
    told = run(images, images.of_user("2000"), replace(volume, read_only=True), try_it)
    assert told.split() == ["0", "kept", "refused"]


def test_a_volume_is_as_big_as_what_was_written(images: Images, volume: VolumeMount) -> None:
    run(images, images.of_user("1000"), volume, "mkdir /srv/data/in && dd if=/dev/zero of=/srv/data/in/file bs=1024 count=300")
    size = images.engine.volume_size(volume.source)
    assert size is not None and 300 * 1024 <= size < 400 * 1024
    assert images.engine._volumes._reported(volume.source) == pytest.approx(size, rel=0.2)


def test_a_volume_carries_our_labels(images: Images, volume: VolumeMount) -> None:
    run(images, images.tiny, volume, "true")
    found = images.engine._api.inspect_volume(volume.source)["Labels"]
    assert found == {"wherry.platform": images.engine.platform, "wherry.app": "shop", "wherry.volume": "data"}
