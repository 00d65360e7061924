"""Apps as a whole: made, looked at, stopped, started, taken down."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, deployed, event_types, finished
from wherry.errors import Conflict, Forbidden, InvalidInput, NotFound, NothingToDo
from wherry.services import apps, formation
from wherry.services.platform import Platform
from wherry.store import apps as store


def test_a_new_app_is_there_with_its_maker_and_an_event(platform: Platform) -> None:
    made = apps.create(platform, DEPLOYER, "shop")
    assert (made.name, made.created_by, made.release) == ("shop", "dora", None)
    assert apps.every(platform, READER) == [apps.get(platform, READER, "shop")]
    assert event_types(platform) == ["app.created"]


def test_a_taken_name_is_refused_and_leaves_no_second_event(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    with pytest.raises(Conflict, match="exists already"):
        apps.create(platform, ADMIN, "shop")
    assert event_types(platform) == ["app.created"]


@pytest.mark.parametrize(
    "name",
    ["", "MyApp", "-rf", "--help", "../etc", "a/b", ".git", "app\n", "a\0", "a" * 31, "a" * 10_000, "shоp", "a;id", "$(id)", "api", "a-"],
)
def test_a_bad_name_is_refused_by_name_and_nothing_is_made(platform: Platform, name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        apps.create(platform, ADMIN, name)
    assert refusal.value.field == "name"
    assert refusal.value.message.isprintable()
    assert apps.every(platform, ADMIN) == []


def test_a_reader_may_look_but_not_touch(platform: Platform) -> None:
    deployed(platform)
    for verb in (
        lambda: apps.create(platform, READER, "x"),
        lambda: formation.stop(platform, READER, "shop"),
        lambda: formation.start(platform, READER, "shop"),
    ):
        with pytest.raises(Forbidden, match="needs the role deploy"):
            verb()
    with pytest.raises(Forbidden):
        apps.destroy(platform, READER, "shop", "shop")
    assert apps.get(platform, READER, "shop").name == "shop"


def test_an_unknown_app_is_named_in_the_refusal(platform: Platform) -> None:
    with pytest.raises(NotFound, match="no app 'nope'"):
        apps.get(platform, ADMIN, "nope")


def test_destroying_takes_the_name_once_more(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(InvalidInput, match="--confirm shop") as refusal:
        apps.destroy(platform, DEPLOYER, "shop", "shpo")
    assert refusal.value.code == "not_confirmed"
    assert apps.destroy(platform, DEPLOYER, "shop", "shop").kind == "destroy"


def test_stop_queues_once_and_start_undoes_it(platform: Platform) -> None:
    app = deployed(platform)
    with pytest.raises(NothingToDo, match="started already"):
        formation.start(platform, DEPLOYER, "shop")
    stop = formation.stop(platform, DEPLOYER, "shop")
    assert (stop.kind, stop.state, stop.actor) == ("stop", "queued", "dora")
    with platform.database.write() as connection:
        store.change(connection, app, held=["*"])
    finished(platform, stop.id)
    with pytest.raises(NothingToDo, match="stopped already"):
        formation.stop(platform, DEPLOYER, "shop")
    assert formation.start(platform, DEPLOYER, "shop").kind == "start"


def test_an_app_without_a_release_can_not_be_started(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    with pytest.raises(Conflict) as refusal:
        formation.start(platform, ADMIN, "shop")
    assert refusal.value.code == "no_release"
    assert "git push" in refusal.value.hint
