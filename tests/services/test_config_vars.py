"""Config vars: who may read them, what may be set, when a change is work."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, deployed, event_types
from wherry.errors import Forbidden, InvalidInput, NothingToDo
from wherry.services import apps, config_vars
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


def test_an_empty_change_is_refused_with_an_example(platform: Platform) -> None:
    apps.create(platform, ADMIN, "shop")
    with pytest.raises(InvalidInput, match="GREETING=hello"):
        config_vars.change(platform, ADMIN, "shop", {})
