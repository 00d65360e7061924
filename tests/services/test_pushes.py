"""What a push asks for."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, deployed
from wherry.errors import Forbidden, InvalidInput
from wherry.services import apps, formation, pushes
from wherry.services.platform import Platform


def test_the_first_push_makes_the_app_and_the_second_finds_it(platform: Platform) -> None:
    made = pushes.app_for(platform, DEPLOYER, "shop")
    assert pushes.app_for(platform, DEPLOYER, "shop") == made
    assert [app.name for app in apps.every(platform, ADMIN)] == ["shop"]


def test_a_reader_may_not_push(platform: Platform) -> None:
    with pytest.raises(Forbidden, match="may not push to shop"):
        pushes.app_for(platform, READER, "shop")


def test_the_same_tree_with_the_same_config_runs_already(platform: Platform) -> None:
    deployed(platform)
    assert pushes.already_running(platform, "shop", "t" * 40) == "v1"
    assert pushes.already_running(platform, "shop", "u" * 40) is None
    assert pushes.already_running(platform, "nope", "t" * 40) is None


def test_other_work_that_waits_makes_the_same_tree_worth_a_deploy(platform: Platform) -> None:
    deployed(platform)
    formation.scale(platform, DEPLOYER, "shop", {"web": 2})
    assert pushes.already_running(platform, "shop", "t" * 40) is None


def test_a_deploy_is_queued_with_its_archive(platform: Platform) -> None:
    pushes.app_for(platform, DEPLOYER, "shop")
    archive = platform.settings.spool / "1.tar"
    operation = pushes.deploy(platform, DEPLOYER, "shop", "c" * 40, "t" * 40, archive, ("force",))
    assert operation.kind == "deploy"
    assert {key: operation.payload[key] for key in ("commit", "archive", "options")} == {
        "commit": "c" * 40,
        "archive": "1.tar",
        "options": ["force"],
    }


@pytest.mark.parametrize(("commit", "name", "options"), [("abc", "1.tar", ()), ("c" * 40, "../1.tar", ()), ("c" * 40, "1.tar", ("fast",))])
def test_what_is_no_deploy_is_refused(platform: Platform, commit: str, name: str, options: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        pushes.deploy(platform, DEPLOYER, "shop", commit, "t" * 40, platform.settings.spool / name, options)
