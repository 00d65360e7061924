"""Pushes to a platform that is not called wherry: what others wrote arrives byte for byte, and every way out can be typed there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from receiving_support import Engine, Person, Place, admin, place
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.services import apps, locks

EVE = Actor("eve", "admin", "ssh")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Person]]:
    with place(tmp_path_factory.mktemp("place"), WHERRY_NAME="trial") as here:
        yield here, admin(here, tmp_path_factory.mktemp("people"), "ada")


@pytest.mark.parametrize(
    ("app", "why"),
    [
        ("first", "wherry ps hangs, ask Eve"),
        ("second", "do not wherry apps:unlock second before Monday"),
        ("third", "app"),
        ("fourth", "ssh wherry@example.org works, wherry ps:scale does not"),
    ],
)
def test_a_push_to_a_locked_app_reads_the_reason_as_it_was_given(trial: tuple[Place, Person], app: str, why: str) -> None:
    here, ada = trial
    apps.create(here.platform, EVE, app)
    locks.lock(here.platform, EVE, app, why)
    pushed = ada.push(ada.project(app), app)
    assert pushed.returncode == 1
    told = [line.removeprefix("remote:").strip() for line in pushed.stdout.splitlines()]
    assert any(line.startswith(f"!     {app} is locked by eve since ") and line.endswith(f" UTC: {why}") for line in told), told
    assert f"Unlock it: trial apps:unlock {app}" in told


def test_a_build_s_own_words_pass_through_a_push_as_they_are(trial: tuple[Place, Person]) -> None:
    here, ada = trial

    def work(engine: Engine, operation: Operation) -> str:
        engine.say(operation, " !     the build stopped at RUN wherry ps: exit code 1", "       More: trial help build_failed")
        return "failed"

    with Engine(here, work):
        pushed = ada.push(ada.project("talker"), "talker")
    told = [line.removeprefix("remote:").strip() for line in pushed.stdout.splitlines()]
    assert "!     the build stopped at RUN wherry ps: exit code 1" in told
    assert "More: trial help build_failed" in told


def test_git_and_ssh_are_refused_in_the_platform_s_own_name(trial: tuple[Place, Person], tmp_path: Path) -> None:
    _, ada = trial
    cloned = ada.git(tmp_path, "clone", ada.url("nothing"), check=False).stdout
    assert 'fatal: remote error: no app "nothing" was pushed here. See yours with: trial apps' in cloned
    assert ada.ssh(options=("-T",)).stderr == "interactive login is off. Try: ssh wherry@host help\n"
