"""Releases: listed, found, gone back to."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, deployed
from wherry.errors import Conflict, Forbidden, NotFound, NothingToDo
from wherry.services import apps, releases
from wherry.services.platform import Platform


def test_releases_are_listed_newest_first(platform: Platform) -> None:
    for _ in range(3):
        deployed(platform)
    assert [release.version for release in releases.of_app(platform, READER, "shop")] == ["v3", "v2", "v1"]
    assert [release.version for release in releases.of_app(platform, READER, "shop", limit=1)] == ["v3"]


def test_the_current_release_is_the_one_that_went_live_last(platform: Platform) -> None:
    deployed(platform)
    deployed(platform, outcome="failed")
    current = releases.current(platform, READER, "shop")
    assert current is not None and current.version == "v1"


def test_an_unknown_version_is_refused_with_those_there_are(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(NotFound, match=r"no release v999 \(only v1 exists\)"):
        releases.get(platform, READER, "shop", 999)
    deployed(platform)
    with pytest.raises(NotFound, match=r"no release v999 \(v1-v2 exist\)"):
        releases.rollback(platform, DEPLOYER, "shop", 999)


def test_rollback_without_a_version_means_the_last_live_one(platform: Platform) -> None:
    deployed(platform)
    deployed(platform, outcome="failed")
    deployed(platform)
    assert releases.rollback(platform, DEPLOYER, "shop").payload == {"to": 1}


def test_rollback_to_what_runs_is_nothing_to_do(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(NothingToDo, match="shop runs v1 already"):
        releases.rollback(platform, DEPLOYER, "shop", 1)


def test_there_is_nothing_before_the_first_release(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(Conflict, match="no earlier live release than v1"):
        releases.rollback(platform, DEPLOYER, "shop")


def test_an_app_without_a_release_has_nothing_to_go_back_to(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    assert releases.current(platform, ADMIN, "shop") is None
    with pytest.raises(Conflict) as refusal:
        releases.rollback(platform, ADMIN, "shop")
    assert refusal.value.code == "no_release"


def test_a_reader_may_not_roll_back(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(Forbidden, match="may not roll back shop"):
        releases.rollback(platform, READER, "shop", 1)
