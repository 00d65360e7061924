"""Limits of process types: who may change them, what they come to, what is refused."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, deployed
from wherry.errors import Forbidden, InvalidInput, NothingToDo
from wherry.services import apps, limits, runs
from wherry.services.platform import Platform
from wherry.services.runs import Wanted
from wherry.store import apps as store


def test_a_change_is_queued_with_its_values_read(platform: Platform) -> None:
    deployed(platform)
    operation = limits.change(platform, DEPLOYER, "shop", {"web": {"size": "medium"}, "worker": {"memory": "300M", "cpu": "0.5"}})
    assert (operation.kind, operation.payload) == ("limits", {"limits": {"web": {"size": "medium"}, "worker": {"memory": 300, "cpu": 0.5}}})


def test_what_holds_already_is_nothing_to_do(platform: Platform) -> None:
    app = deployed(platform)
    with platform.database.write() as connection:
        store.change(connection, app, limits={"web": {"size": "nano"}})
    with pytest.raises(NothingToDo):
        limits.change(platform, DEPLOYER, "shop", {"web": {"size": "nano"}})
    with pytest.raises(NothingToDo):
        limits.change(platform, DEPLOYER, "shop", {"worker": {"size": "default"}})


def test_limits_may_be_wished_before_the_first_deploy(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    assert limits.change(platform, ADMIN, "shop", {"web": {"size": "nano"}}).kind == "limits"


def test_more_than_the_machine_has_and_unknown_processes_are_refused(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(InvalidInput, match=f"32m-{limits.room().memory}m on this host"):
        limits.change(platform, DEPLOYER, "shop", {"web": {"memory": "99999g"}})
    with pytest.raises(InvalidInput, match='no process "nope"'):
        limits.change(platform, DEPLOYER, "shop", {"nope": {"size": "nano"}})
    with pytest.raises(Forbidden):
        limits.change(platform, READER, "shop", {"web": {"size": "nano"}})


def test_a_one_off_has_the_memory_of_the_process_that_it_runs_or_of_run(platform: Platform) -> None:
    app = deployed(platform)
    with platform.database.write() as connection:
        app = store.change(connection, app, limits={"worker": {"memory": 300}, "run": {"size": "nano"}})
    deployed(platform)
    memories = [runs.start(platform, ADMIN, "shop", Wanted(command))[0].memory for command in (["worker"], ["sh"], ["worker", "x"])]
    assert memories == [300, 64, 64]
