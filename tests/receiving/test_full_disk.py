"""A disk without room: every change is refused in one sentence, and what is only read goes on."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiving_support import Person, Place, admin, place
from wherry.errors import Unavailable
from wherry.model.user import Actor
from wherry.services import apps

EVE = Actor("eve", "admin", "ssh")
SMALL = "12m"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Person]]:
    """A platform on a disk of its own that somebody filled to the last byte."""
    disk = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk of our own can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        with place(disk, WHERRY_NAME="trial") as here:
            ada = admin(here, tmp_path_factory.mktemp("people"), "ada")
            apps.create(here.platform, EVE, "shop")
            fill(disk / "filling")
            yield here, ada
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (2**20, 2**12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def test_a_change_says_that_the_disk_is_full_and_where_to_ask(full: tuple[Place, Person]) -> None:
    here, _ = full
    with pytest.raises(Unavailable) as refusal:
        for number in range(200):
            apps.create(here.platform, EVE, f"app-{number}")
    state = here.settings.home / "state"
    assert refusal.value.code == "disk_full"
    assert refusal.value.message == f"the disk is full: 0 MB are free at {state}, so no change can be kept"
    assert refusal.value.hint == "Make room by hand, on the machine; what is large there, and more: sudo wherry doctor"
    assert apps.get(here.platform, EVE, "shop").name == "shop"


@pytest.mark.parametrize("app", ["shop", "fresh"])
def test_a_push_is_refused_before_git_sends_anything(full: tuple[Place, Person], app: str) -> None:
    here, ada = full
    pushed = ada.push(ada.project(f"for-{app}"), app)
    told = f"the disk is full: 0 MB are free at {here.settings.home}, so no change can be kept. Make room by hand, on the machine"
    assert pushed.returncode == 128
    assert pushed.stdout.startswith(f"fatal: remote error: {told}; what is large there, and more: sudo trial doctor")
    assert not (here.settings.repositories / "fresh.git").exists()
