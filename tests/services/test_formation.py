"""How many instances of what: scaled, restarted, looked at."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, deployed, running
from wherry.errors import Conflict, Forbidden, InvalidInput, NothingToDo
from wherry.services import apps, formation
from wherry.services.platform import Platform
from wherry.store import apps as store


def test_a_first_release_runs_one_web_and_nothing_else(platform: Platform) -> None:
    deployed(platform, web="run", worker="run", release="migrate")
    assert formation.of_app(platform, READER, "shop") == {"web": 1, "worker": 0}


def test_scaling_queues_what_was_wished(platform: Platform) -> None:
    deployed(platform)
    operation = formation.scale(platform, DEPLOYER, "shop", {"web": 3, "worker": 1})
    assert (operation.kind, operation.payload) == ("scale", {"formation": {"web": 3, "worker": 1}})


def test_scaling_to_what_is_so_already_is_nothing_to_do(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(NothingToDo, match="shop has web=1 already"):
        formation.scale(platform, DEPLOYER, "shop", {"web": 1})


def test_the_same_wish_counts_while_another_waits(platform: Platform) -> None:
    deployed(platform)
    formation.scale(platform, DEPLOYER, "shop", {"web": 3})
    assert formation.scale(platform, DEPLOYER, "shop", {"web": 1}).state == "queued"


def test_an_unknown_process_is_refused_with_those_there_are(platform: Platform) -> None:
    deployed(platform, web="run", release="migrate")
    with pytest.raises(InvalidInput, match='no process "nope"; this release has: web'):
        formation.scale(platform, DEPLOYER, "shop", {"nope": 1})
    with pytest.raises(InvalidInput, match="release runs once per deploy"):
        formation.scale(platform, DEPLOYER, "shop", {"release": 1})


def test_quantities_may_be_wished_before_the_first_deploy(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    assert formation.of_app(platform, ADMIN, "shop") == {}
    assert formation.scale(platform, ADMIN, "shop", {"web": 2}).kind == "scale"


def test_a_reader_may_not_scale_or_restart(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(Forbidden, match="may not scale shop"):
        formation.scale(platform, READER, "shop", {"web": 2})
    with pytest.raises(Forbidden, match="may not restart shop"):
        formation.restart(platform, READER, "shop")


@pytest.mark.parametrize("scope", ["*", "web", "web.1"])
def test_restart_takes_all_a_type_or_one_instance(platform: Platform, scope: str) -> None:
    deployed(platform)
    assert formation.restart(platform, DEPLOYER, "shop", scope).payload == {"scope": scope}


@pytest.mark.parametrize("scope", ["nope", "web.2", "worker.1", "web.0", "web.", "../x", "web 1", "web.1\n"])
def test_restart_of_what_is_not_there_is_refused(platform: Platform, scope: str) -> None:
    deployed(platform)
    with pytest.raises(InvalidInput) as refusal:
        formation.restart(platform, DEPLOYER, "shop", scope)
    assert refusal.value.field == "instance"


def test_a_stopped_app_is_not_restarted_by_accident(platform: Platform) -> None:
    app = deployed(platform)
    with platform.database.write() as connection:
        store.change(connection, app, held=["*"])
    with pytest.raises(Conflict, match="shop is stopped") as refusal:
        formation.restart(platform, DEPLOYER, "shop")
    assert refusal.value.code == "app_stopped"


def test_instances_are_listed_web_first(platform: Platform) -> None:
    deployed(platform)
    for process, index in (("worker", 1), ("web", 2), ("web", 1)):
        running(platform, "shop", process, index)
    assert [seen.name for seen in formation.seen(platform, READER, "shop")] == ["web.1", "web.2", "worker.1"]
