"""Config vars: who may read them, what may be set, when a change is work."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, deployed, event_types
from wherry.errors import Conflict, Forbidden, InvalidInput, NothingToDo
from wherry.services import apps, config_vars, global_config, locks
from wherry.services.platform import Platform


def test_before_the_first_deploy_a_change_is_done_at_once(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    assert config_vars.change(platform, DEPLOYER, "shop", {"GREETING": "hello", "TOKEN": "s3cret"}) is None
    assert config_vars.of_app(platform, DEPLOYER, "shop") == {"GREETING": "hello", "TOKEN": "s3cret"}
    assert event_types(platform)[-1] == "config.changed"


def test_afterwards_a_change_queues_one_release_for_all_its_keys(platform: Platform) -> None:
    deployed(platform, config={"OLD": "1"})
    operation = config_vars.change(platform, DEPLOYER, "shop", {"A": "1", "OLD": None})
    assert operation is not None and operation.payload == {"changes": {"A": "1", "OLD": None}}


def test_no_value_is_written_into_an_event(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    config_vars.change(platform, ADMIN, "shop", {"TOKEN": "s3cret"})
    with platform.database.read() as connection:
        assert "s3cret" not in str([tuple(row) for row in connection.execute("SELECT * FROM events")])


@pytest.mark.parametrize("changes", [{"A": "1"}, {"NOPE": None}, {"A": "1", "NOPE": None}])
def test_a_change_that_changes_nothing_is_nothing_to_do(platform: Platform, changes: dict[str, str | None]) -> None:
    deployed(platform, config={"A": "1"})
    with pytest.raises(NothingToDo):
        config_vars.change(platform, DEPLOYER, "shop", changes)


def test_those_who_may_not_deploy_may_not_read_secrets(platform: Platform) -> None:
    deployed(platform, config={"A": "1"})
    with pytest.raises(Forbidden, match="may not read the config of shop"):
        config_vars.of_app(platform, READER, "shop")
    with pytest.raises(Forbidden):
        config_vars.change(platform, READER, "shop", {"A": "2"})


@pytest.mark.parametrize("value", ["", " ", "a'b\"c", "two\nlines\n", "emoji 🛶", "back\\", "$HOME `id`", "a=b"])
def test_values_arrive_as_they_were_given(platform: Platform, value: str) -> None:
    apps.create(platform, ADMIN, "shop")
    config_vars.change(platform, ADMIN, "shop", {"A": value})
    assert config_vars.of_app(platform, ADMIN, "shop") == {"A": value}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("1A", "x", "not starting with a digit"),
        ("A-B", "x", "use letters, digits"),
        ("A=B", "x", "use letters, digits"),
        ("", "x", "use letters, digits"),
        ("A\n", "x", "use letters, digits"),
        ("PORT", "1", "PORT is set by the platform"),
        ("LD_PRELOAD", "x", "set it in a Dockerfile"),
        ("A", "a\0b", "NUL"),
        ("A", "x" * 70_000, "up to 64 KiB"),
        ("A", 1, "give text in quotes"),
    ],
)
def test_a_bad_key_or_value_is_refused_and_nothing_is_set(platform: Platform, key: str, value: object, says: str) -> None:
    apps.create(platform, ADMIN, "shop")
    with pytest.raises(InvalidInput, match=says):
        config_vars.change(platform, ADMIN, "shop", {"GOOD": "1", key: value})
    assert config_vars.of_app(platform, ADMIN, "shop") == {}


def test_too_many_keys_are_refused_with_the_limit(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    with pytest.raises(InvalidInput, match="5000 config vars: an app may have up to 500"):
        config_vars.change(platform, ADMIN, "shop", {f"K{number}": "1" for number in range(5000)})


def test_more_in_all_than_a_program_can_be_started_with_is_refused_with_the_limit(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    with pytest.raises(InvalidInput, match="config vars of 1088 KiB: an app may have up to 1024 KiB of them in all"):
        config_vars.change(platform, ADMIN, "shop", {f"K{number}": "x" * 65536 for number in range(17)})
    assert config_vars.of_app(platform, ADMIN, "shop") == {}
    config_vars.change(platform, ADMIN, "shop", {f"K{number}": "x" * 65536 for number in range(15)})


def test_an_empty_change_is_refused_with_an_example(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    with pytest.raises(InvalidInput, match="GREETING=hello"):
        config_vars.change(platform, ADMIN, "shop", {})


def test_global_config_vars_stand_below_the_apps_own(platform: Platform) -> None:
    deployed(platform, config={"OWN": "1", "BOTH": "mine"})
    queued = global_config.change(platform, ADMIN, {"BOTH": "theirs", "TZ": "UTC"})
    assert [(one.app, one.kind, one.payload) for one in queued] == [
        ("shop", "config", {"changes": {}, "words": "Set global BOTH, TZ", "restart": True})
    ]
    shown = config_vars.shown(platform, DEPLOYER, "shop")
    assert shown.values == {"OWN": "1", "BOTH": "mine", "TZ": "UTC"}
    assert (shown.own, shown.waiting) == ({"OWN": "1", "BOTH": "mine"}, ["TZ"])


def test_a_global_change_reaches_only_apps_that_see_it(platform: Platform) -> None:
    deployed(platform, "shop", config={"TZ": "CET"})
    apps.create(platform, ADMIN, "blog")
    assert global_config.change(platform, ADMIN, {"TZ": "UTC"}) == []
    assert config_vars.of_app(platform, ADMIN, "shop") == {"TZ": "CET"}
    assert config_vars.of_app(platform, ADMIN, "blog") == {"TZ": "UTC"}
    with pytest.raises(NothingToDo):
        global_config.change(platform, ADMIN, {"TZ": "UTC"})


def test_only_an_admin_changes_what_all_apps_have_and_a_locked_app_keeps_it(platform: Platform) -> None:
    with pytest.raises(Forbidden):
        global_config.change(platform, DEPLOYER, {"TZ": "UTC"})
    with pytest.raises(Forbidden):
        global_config.every(platform, READER)
    deployed(platform)
    locks.lock(platform, ADMIN, "shop", "audit")
    with pytest.raises(Conflict, match="shop is locked"):
        global_config.change(platform, ADMIN, {"TZ": "UTC"})
    assert global_config.every(platform, ADMIN) == {}


def test_a_global_config_var_is_not_unset_for_one_app(platform: Platform) -> None:
    global_config.change(platform, ADMIN, {"TZ": "UTC"})
    deployed(platform)
    with pytest.raises(Conflict, match="TZ is a global config var, not one of shop"):
        config_vars.change(platform, ADMIN, "shop", {"TZ": None})


def test_clearing_removes_the_apps_own_and_is_nothing_to_do_without_any(platform: Platform) -> None:
    deployed(platform, config={"A": "1", "B": "2"})
    operation = config_vars.clear(platform, DEPLOYER, "shop")
    assert operation is not None and operation.payload == {"changes": {"A": None, "B": None}}
    deployed(platform, "bare")
    with pytest.raises(NothingToDo, match="bare has no config vars of its own"):
        config_vars.clear(platform, DEPLOYER, "bare")
