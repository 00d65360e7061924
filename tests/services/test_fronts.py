"""What a person asks of the front of an app, over a real database: wishes with events, by those who may, within limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certificate_support import Authority
from stored_platform import ADMIN, DEPLOYER, READER, event_types, new_platform
from wherry.errors import Conflict, Forbidden, InvalidInput, NotFound, NothingToDo
from wherry.model.front import MAX_ALLOW, MAX_DOMAINS, MAX_PAGE, MAX_USERS
from wherry.model.user import Actor
from wherry.services import apps, certificates, domains, fronts
from wherry.services.platform import Platform
from wherry.store import apps as stored
from wherry.store import events

Verb = Callable[[Platform, Actor], Any]
VERBS: dict[str, Verb] = {
    "domain.added": lambda made, who: domains.change(made, who, "shop", ["a.org"], []),
    "domain.removed": lambda made, who: domains.set_all(made, who, "shop", []),
    "https.changed": lambda made, who: fronts.set_https(made, who, "shop", "on"),
    "allow.changed": lambda made, who: fronts.change_allowed(made, who, "shop", ["192.0.2.1"], []),
    "login.added": lambda made, who: fronts.add_login(made, who, "shop", "alice"),
    "maintenance.started": lambda made, who: fronts.set_maintenance(made, who, "shop", True),
    "certificates.switched": lambda made, who: certificates.set_auto(made, who, "shop", False),
}


@pytest.fixture
def made(tmp_path: Path) -> Platform:
    platform = new_platform(tmp_path)
    apps.create(platform, ADMIN, "shop")
    apps.create(platform, ADMIN, "blog")
    return platform


@pytest.mark.parametrize("kind", VERBS)
def test_each_change_needs_the_role_deploy_and_leaves_an_event_with_its_actor(made: Platform, kind: str) -> None:
    with pytest.raises(Forbidden):
        VERBS[kind](made, READER)
    VERBS[kind](made, DEPLOYER)
    with made.database.read() as connection:
        last = events.since(connection, 0)[-1]
    assert (last.type, last.actor, last.via, last.app) == (kind, "dora", "token", "shop")


@pytest.mark.parametrize("kind", VERBS)
def test_the_same_wish_twice_is_nothing_to_do(made: Platform, kind: str) -> None:
    VERBS[kind](made, ADMIN)
    count = len(event_types(made))
    if kind == "login.added":
        return
    with pytest.raises(NothingToDo):
        VERBS[kind](made, ADMIN)
    assert len(event_types(made)) == count


def test_without_an_engine_a_change_is_written_and_not_waited_for(made: Platform) -> None:
    faced = domains.change(made, ADMIN, "shop", ["a.org"], [])
    assert (faced.app.domains, faced.live) == (("a.org",), False)


def test_a_domain_is_one_app_s_however_it_is_spelt(made: Platform) -> None:
    domains.change(made, ADMIN, "shop", ["a.org", "*.a.org"], [])
    for spelt in ("a.org", "A.ORG.", "*.A.org", "shop.localhost"):
        with pytest.raises(Conflict, match="is a domain of shop"):
            domains.change(made, ADMIN, "blog", [spelt], [])
    assert apps.get(made, ADMIN, "blog").domains == ()


def test_a_domain_that_was_given_up_may_be_taken_the_default_one_too(made: Platform) -> None:
    domains.set_all(made, ADMIN, "shop", ["b.org"])
    domains.change(made, ADMIN, "blog", ["shop.localhost"], [])
    with pytest.raises(Conflict, match=r"shop\.localhost is a domain of blog"):
        domains.change(made, ADMIN, "shop", ["shop.localhost"], [])
    assert [apps.get(made, ADMIN, name).domains for name in ("shop", "blog")] == [("b.org",), ("shop.localhost",)]


def test_a_refused_change_changes_nothing(made: Platform) -> None:
    domains.change(made, ADMIN, "blog", ["taken.org"], [])
    for add, remove in ((["new.org", "taken.org"], []), (["new.org"], ["never.org"]), (["new.org", "a b"], [])):
        with pytest.raises((Conflict, NotFound, InvalidInput)):
            domains.change(made, ADMIN, "shop", add, remove)
    assert apps.get(made, ADMIN, "shop").domains == ()


def test_limits_are_named(made: Platform) -> None:
    with pytest.raises(InvalidInput, match=f"up to {MAX_DOMAINS}"):
        domains.change(made, ADMIN, "shop", [f"n{number}.org" for number in range(MAX_DOMAINS)], [])
    with pytest.raises(InvalidInput, match=f"up to {MAX_ALLOW}"):
        fronts.set_allowed(made, ADMIN, "shop", [f"10.0.{number}.0/24" for number in range(MAX_ALLOW + 1)])
    for number in range(MAX_USERS):
        fronts.add_login(made, ADMIN, "shop", f"user-{number}", "password 1")
    with pytest.raises(InvalidInput, match=f"up to {MAX_USERS}"):
        fronts.add_login(made, ADMIN, "shop", "one-more", "password 1")
    with pytest.raises(InvalidInput, match=f"1-{MAX_PAGE} bytes"):
        fronts.set_maintenance(made, ADMIN, "shop", True, "⛵" * (MAX_PAGE // 3 + 1))


def test_a_page_is_kept_over_the_end_of_a_maintenance_until_it_is_forgotten(made: Platform) -> None:
    fronts.set_maintenance(made, ADMIN, "shop", True, "<p>later")
    fronts.set_maintenance(made, ADMIN, "shop", False)
    fronts.set_maintenance(made, ADMIN, "shop", True)
    assert fronts.page_of(made, ADMIN, "shop") == "<p>later"
    fronts.set_maintenance(made, ADMIN, "shop", True, "")
    assert fronts.page_of(made, ADMIN, "shop") == ""


def test_a_new_password_for_a_name_replaces_the_old_one_and_is_in_no_event(made: Platform) -> None:
    fronts.add_login(made, ADMIN, "shop", "alice", "the first one")
    before = apps.get(made, ADMIN, "shop").front
    _, secret = fronts.add_login(made, ADMIN, "shop", "alice")
    after = apps.get(made, ADMIN, "shop").front
    assert (before.salt, list(after.users)) == (after.salt, ["alice"])
    assert before.users != after.users
    with made.database.read() as connection:
        told = repr(events.since(connection, 0))
    assert "the first one" not in told and secret.reveal() not in told and after.users["alice"] not in told


def test_the_key_of_a_certificate_is_in_no_row_and_its_file_is_the_engine_s_to_take(made: Platform) -> None:
    domains.change(made, ADMIN, "shop", ["a.org"], [])
    signed = Authority().sign("a.org")
    row, live = certificates.add(made, ADMIN, "shop", signed.bundle)
    (spooled,) = made.settings.spool.iterdir()
    assert (row.state, row.arrival, live) == ("pending", spooled.name, False)
    assert spooled.stat().st_mode & 0o777 == 0o600
    secret = signed.key.splitlines()[1]
    assert secret in spooled.read_text()
    assert [path for path in (made.settings.home / "state").iterdir() if secret.encode() in path.read_bytes()] == []


def test_a_destroyed_app_leaves_its_domains_to_others(made: Platform) -> None:
    domains.change(made, ADMIN, "shop", ["a.org"], [])
    with made.database.write() as connection:
        stored.remove(connection, stored.get(connection, "shop"))
    assert domains.change(made, ADMIN, "blog", ["a.org"], []).app.domains == ("a.org",)
