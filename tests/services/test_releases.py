"""Releases: listed, found, gone back to."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, deployed
from wherry.errors import Conflict, Forbidden, NotFound, NothingToDo
from wherry.services import apps, domains, releases
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
    deployed(platform, outcome="failed", config={"A": "2"})
    deployed(platform, config={"A": "3"})
    assert releases.rollback(platform, DEPLOYER, "shop").payload == {"to": 1}


def test_rollback_passes_over_releases_with_the_same_image_and_config(platform: Platform) -> None:
    deployed(platform, config={"A": "1"})
    deployed(platform, config={"A": "2"})
    domains.change(platform, ADMIN, "shop", ["shop.example.org"], [])
    domains.change(platform, ADMIN, "shop", [], ["shop.example.org"])
    assert releases.rollback(platform, DEPLOYER, "shop").payload == {"to": 1}
    with pytest.raises(NothingToDo, match="shop runs all of v2 already, as v4; nothing to do"):
        releases.rollback(platform, DEPLOYER, "shop", 2)


def test_a_change_of_domains_is_a_release_with_its_author(platform: Platform) -> None:
    deployed(platform)
    domains.change(platform, DEPLOYER, "shop", ["b.example.org", "a.example.org"], [])
    domains.change(platform, ADMIN, "shop", ["c.example.org"], ["a.example.org"])
    told = [(one.version, one.actor, one.description, one.outcome, one.shape.domains) for one in releases.of_app(platform, READER, "shop")]
    assert told[:2] == [
        ("v3", "alice", "Add domain c.example.org and remove domain a.example.org", "live", ("b.example.org", "c.example.org")),
        ("v2", DEPLOYER.name, "Add domain b.example.org, a.example.org", "live", ("b.example.org", "a.example.org")),
    ]
    app = apps.get(platform, READER, "shop")
    assert (app.release, app.running) == (3, 1)


def test_a_change_of_nothing_and_one_before_the_first_deploy_make_no_release(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    domains.change(platform, ADMIN, "shop", ["a.example.org"], [])
    assert releases.of_app(platform, READER, "shop") == []
    deployed(platform)
    with pytest.raises(NothingToDo):
        domains.change(platform, ADMIN, "shop", ["a.example.org"], [])
    assert [one.version for one in releases.of_app(platform, READER, "shop")] == ["v1"]


def test_a_diff_says_what_a_release_changed_and_hides_values(platform: Platform) -> None:
    deployed(platform, config={"A": "1", "GONE": "x", "SAME": "y"})
    deployed(platform, outcome="failed", config={"Z": "1"}, web="other")
    deployed(platform, config={"A": "2", "NEW": "s3cret", "SAME": "y"}, web="run", cron="run")
    before, after, found = releases.diff(platform, READER, "shop", 3)
    assert (before and before.version, after.version) == ("v1", "v3")
    assert [(one.what, one.name, one.change, one.before, one.after) for one in found] == [
        ("config", "A", "changed", "", ""),
        ("config", "GONE", "removed", "", None),
        ("config", "NEW", "added", None, ""),
        ("process", "cron", "added", None, "run"),
        ("process", "web", "changed", "run web", "run"),
        ("process", "worker", "removed", "run worker", None),
        ("formation", "cron", "added", None, "0"),
        ("formation", "worker", "removed", "0", None),
    ]
    shown = releases.diff(platform, DEPLOYER, "shop", 3, 1, reveal=True)[2]
    assert [(one.before, one.after) for one in shown if one.what == "config"] == [("1", "2"), ("x", None), (None, "s3cret")]


def test_a_diff_goes_either_way_and_knows_domains(platform: Platform) -> None:
    deployed(platform)
    domains.change(platform, ADMIN, "shop", ["a.example.org"], [])
    there = [(one.what, one.name, one.change) for one in releases.diff(platform, READER, "shop", 2)[2]]
    back = [(one.what, one.name, one.change) for one in releases.diff(platform, READER, "shop", 1, 2)[2]]
    assert (there, back) == ([("domain", "a.example.org", "added")], [("domain", "a.example.org", "removed")])


def test_the_first_release_is_compared_with_nothing(platform: Platform) -> None:
    deployed(platform, config={"A": "1"})
    before, _, found = releases.diff(platform, READER, "shop", 1)
    assert before is None
    assert {one.what for one in found} == {"commit", "image", "config", "process", "formation", "domain"}


def test_a_reader_sees_which_config_vars_changed_and_no_value(platform: Platform) -> None:
    deployed(platform, config={"A": "s3cret"})
    assert "s3cret" not in str(releases.diff(platform, READER, "shop", 1)[2])
    with pytest.raises(Forbidden, match="may not read the config of shop"):
        releases.diff(platform, READER, "shop", 1, reveal=True)


def test_rollback_to_what_runs_is_nothing_to_do(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(NothingToDo, match="shop runs v1 already"):
        releases.rollback(platform, DEPLOYER, "shop", 1)


def test_there_is_nothing_before_the_first_release(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(Conflict, match="no earlier live release with other code or config than v1") as refusal:
        releases.rollback(platform, DEPLOYER, "shop")
    assert refusal.value.hint == "Nothing went live before it. Look: wherry releases shop"


def test_a_rollback_that_would_have_to_take_a_domain_away_says_how_to_ask_for_that(platform: Platform) -> None:
    deployed(platform)
    domains.change(platform, ADMIN, "shop", ["shop.example.org"], [])
    with pytest.raises(Conflict, match="no earlier live release with other code or config than v2") as refusal:
        releases.rollback(platform, DEPLOYER, "shop")
    assert refusal.value.hint == "To take back v2 (Add domain shop.example.org): wherry rollback shop v1"
    assert releases.rollback(platform, DEPLOYER, "shop", 1).payload == {"to": 1}


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
