"""The audit: who changed what, for those who may see it, and not for ever."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, deployed
from wherry import clock
from wherry.errors import Forbidden, InvalidInput, NotFound
from wherry.model.event import Event, Wanted, check_type
from wherry.services import apps, config_vars, domains, events
from wherry.services.platform import Platform
from wherry.store import events as store


def types(found: list[Event]) -> list[str]:
    return [event.type for event in found]


def test_an_apps_events_come_newest_first_with_actor_and_way(platform: Platform) -> None:
    apps.create(platform, DEPLOYER, "shop")
    config_vars.change(platform, ADMIN, "shop", {"GREETING": "hi"})
    found = events.recent(platform, READER, Wanted("shop"))
    assert [(event.type, event.actor, event.via) for event in found] == [
        ("config.changed", "alice", "local"),
        ("app.created", "dora", "token"),
    ]
    assert found[0].data == {"keys": ["GREETING"]}


def test_they_are_chosen_by_kind_by_whole_type_and_by_person(platform: Platform) -> None:
    apps.create(platform, DEPLOYER, "shop")
    deployed(platform)
    domains.change(platform, ADMIN, "shop", add=["shop.example.org"], remove=[])
    assert types(events.recent(platform, READER, Wanted("shop", type="domain"))) == ["domain.added"]
    assert types(events.recent(platform, READER, Wanted("shop", type="domain.added"))) == ["domain.added"]
    assert types(events.recent(platform, READER, Wanted("shop", type="dom"))) == []
    assert types(events.recent(platform, READER, Wanted("shop", actor="dora"))) == ["app.created"]


def test_pages_go_back_and_pollers_go_forward(platform: Platform) -> None:
    for name in ("ax", "bx", "cx"):
        apps.create(platform, ADMIN, name)
    newest = events.recent(platform, ADMIN, Wanted(), limit=1)[0]
    assert newest.app == "cx"
    assert [event.app for event in events.recent(platform, ADMIN, Wanted(before=newest.id))] == ["bx", "ax"]
    oldest = events.recent(platform, ADMIN, Wanted())[-1]
    assert [event.app for event in events.since(platform, ADMIN, oldest.id, Wanted())] == ["bx", "cx"]


def test_those_of_the_whole_platform_are_for_admins(platform: Platform) -> None:
    for look in (events.recent, lambda *given: events.since(given[0], given[1], 0, given[2])):
        with pytest.raises(Forbidden, match="the events of the whole platform"):
            look(platform, DEPLOYER, Wanted())


def test_an_app_that_never_was_is_named(platform: Platform) -> None:
    with pytest.raises(NotFound, match="no app 'nope'"):
        events.recent(platform, READER, Wanted("nope"))


@pytest.mark.parametrize("text", ["", "Release", "release.", "a.b.c", "release live", "%", "a" * 41, "rélease", "release\n"])
def test_what_no_type_looks_like_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="give a type or its first word"):
        check_type(text)


def test_old_ones_are_forgotten_but_never_the_newest(platform: Platform) -> None:
    with platform.database.write() as connection:
        for number in range(5):
            store.add(connection, ADMIN, "app.created", f"a{number}", "2020-01-01T00:00:00.000000Z")
        store.add(connection, ADMIN, "app.created", "new", clock.now())
        assert store.forget_old(connection, "2021-01-01T00:00:00.000000Z", keep=3) == 3
        assert [event.app for event in store.since(connection, 0)] == ["a3", "a4", "new"]
