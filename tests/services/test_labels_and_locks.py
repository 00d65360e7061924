"""Labels find apps again; a lock keeps hands off one, with who and why."""

from collections.abc import Callable

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, deployed, event_types
from wherry.errors import Conflict, Forbidden, InvalidInput, NothingToDo
from wherry.model.user import Actor
from wherry.services import apps, formation, locks, pushes
from wherry.services.platform import Platform

OTHER = Actor("otto", "deploy", "token")


def test_apps_are_found_by_all_of_the_labels_that_are_asked_for(platform: Platform) -> None:
    for name, labels in (("shop", {"env": "prod", "team": "web"}), ("blog", {"env": "prod"}), ("wiki", {})):
        apps.create(platform, ADMIN, name)
        if labels:
            apps.label(platform, DEPLOYER, name, labels)
    assert [app.name for app in apps.every(platform, READER, "env=prod")] == ["blog", "shop"]
    assert [app.name for app in apps.every(platform, READER, "env=prod,team")] == ["shop"]
    assert [app.name for app in apps.every(platform, READER, "env=test")] == []
    assert event_types(platform).count("app.labelled") == 2


def test_a_label_that_is_so_already_is_nothing_to_do_and_none_takes_it_away(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    apps.label(platform, ADMIN, "shop", {"env": "prod"})
    with pytest.raises(NothingToDo):
        apps.label(platform, ADMIN, "shop", {"env": "prod"})
    assert apps.label(platform, ADMIN, "shop", {"env": None}).labels == {}


@pytest.mark.parametrize("key", ["", "Env", "a b", "-a", "a-", "a" * 64, "\u0430", "a\n", "a=b"])
def test_a_label_that_is_none_is_refused(platform: Platform, key: str) -> None:
    apps.create(platform, ADMIN, "shop")
    with pytest.raises(InvalidInput) as refusal:
        apps.label(platform, ADMIN, "shop", {key: "x"})
    assert refusal.value.field == "labels" and refusal.value.message.isprintable()


@pytest.mark.parametrize("value", ["a,b", "a\nb", "x" * 101, 1, True, ["a"]])
def test_a_value_that_is_none_is_refused(platform: Platform, value: object) -> None:
    apps.create(platform, ADMIN, "shop")
    with pytest.raises(InvalidInput, match=r"e\.g\. env=prod"):
        apps.label(platform, ADMIN, "shop", {"env": value})


def test_a_locked_app_refuses_changes_with_who_and_why(platform: Platform) -> None:
    deployed(platform)
    locks.lock(platform, DEPLOYER, "shop", "moving the database")
    refused: list[Callable[[], object]] = [
        lambda: formation.scale(platform, ADMIN, "shop", {"web": 2}),
        lambda: formation.restart(platform, ADMIN, "shop"),
        lambda: pushes.app_for(platform, ADMIN, "shop"),
        lambda: apps.destroy(platform, ADMIN, "shop", "shop"),
    ]
    for change in refused:
        with pytest.raises(Conflict, match=r"shop is locked by dora since .* UTC: moving the database") as refusal:
            change()
        assert refusal.value.code == "app_locked"
    assert formation.of_app(platform, READER, "shop") == {"web": 1, "worker": 0}


def test_who_locked_it_and_admins_may_unlock_it_and_nobody_else(platform: Platform) -> None:
    deployed(platform)
    locks.lock(platform, DEPLOYER, "shop")
    with pytest.raises(Forbidden, match="they or an admin may unlock it"):
        locks.unlock(platform, OTHER, "shop")
    with pytest.raises(Conflict):
        locks.lock(platform, OTHER, "shop", "mine now")
    locks.unlock(platform, DEPLOYER, "shop")
    locks.lock(platform, DEPLOYER, "shop")
    assert locks.unlock(platform, ADMIN, "shop").lock is None
    assert formation.scale(platform, ADMIN, "shop", {"web": 2}).kind == "scale"


def test_a_reader_may_not_label_or_lock(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(Forbidden):
        apps.label(platform, READER, "shop", {"env": "prod"})
    with pytest.raises(Forbidden):
        locks.lock(platform, READER, "shop")
