"""Sizes and limits: what a wish comes to, and which values are refused how."""

from dataclasses import replace

import pytest

from engine_support import spec
from wherry.errors import InvalidInput
from wherry.model import limits
from wherry.model.limits import Limits, Room

ROOM = Room(3800, 2)


def test_without_a_wish_the_platforms_setting_holds() -> None:
    assert limits.limits_of({}, 256) == Limits(256)


def test_a_size_brings_memory_share_and_processes_and_a_value_stands_over_it() -> None:
    assert limits.limits_of({"size": "nano"}, 256) == limits.SIZES["nano"]
    assert limits.limits_of({"size": "nano", "memory": 300, "cpu": 0.5}, 256) == Limits(300, 256, 0.5, 128)


def test_the_usual_size_is_what_instances_always_had() -> None:
    assert limits.SIZES["small"] == Limits(256)


def test_a_new_size_sets_aside_the_values_before_it() -> None:
    before = {"web": {"memory": 300, "cpu": 0.5}, "worker": {"size": "nano"}}
    assert limits.changed(before, {"web": {"size": "large"}}) == {"web": {"size": "large"}, "worker": {"size": "nano"}}
    assert limits.changed(before, {"web": {"memory": None}, "worker": {"size": None}}) == {"web": {"cpu": 0.5}}


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, "256 MB"),
        ({"size": "medium"}, "medium (512 MB)"),
        ({"memory": 300, "cpu": 0.5, "pids": 200}, "300 MB, 0.5 CPU, 200 pids"),
        ({"size": "medium", "cpu": 2.0}, "medium (512 MB), 2 CPU"),
    ],
)
def test_limits_are_told_in_few_words(wish: limits.Wish, said: str) -> None:
    assert limits.words(wish, 256) == said


@pytest.mark.parametrize(("text", "megabytes"), [("300m", 300), ("300M", 300), ("1g", 1024), ("512mb", 512), (64 * 2**20, 64)])
def test_memory_is_read_with_its_unit(text: object, megabytes: int) -> None:
    assert limits.check_memory(text, ROOM) == megabytes


@pytest.mark.parametrize(
    "value", ["0", "1", "-1", "512", "99999g", "31m", "3801m", "", "٣m", "1_0m", "1e3m", "m", True, 1.5, None, 512, "5\n", "9" * 50]
)
def test_memory_that_is_off_is_refused_with_what_this_host_can_give(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"give a number with m or g, 32m-3800m on this host, e.g. 512m") as refusal:
        limits.check_memory(value, ROOM)
    assert refusal.value.field == "memory" and refusal.value.message.isprintable()


@pytest.mark.parametrize("value", ["NaN", "inf", "-1", "0", "0.01", "2.5", "1e1", "", "a", float("nan"), float("inf"), True, [], "1" * 40])
def test_cpu_that_is_off_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"give cores from 0.05 to 2 on this host, e.g. 0.5"):
        limits.check_cpu(value, ROOM)


@pytest.mark.parametrize("value", ["0", "15", "99999", "-1", "1.5", 1.5, True, "", "٣٣"])
def test_pids_that_are_off_are_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"give a whole number from 16 to 32768, e\.g\. 200"):
        limits.check_pids(value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "nothing to change"),
        ({"web": {"size": "standard-1x"}}, 'no size "standard-1x": give one of nano, micro, small, medium, large, xlarge'),
        ({"web": {"ram": "1g"}}, r"web.ram: give one of memory, cpu, pids, e.g. web.memory=300m"),
        ({"a b": {"size": "small"}}, 'process "a b": give a process type'),
    ],
)
def test_a_change_that_can_not_be_is_refused(changes: dict[str, dict[str, object]], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        limits.check_changes(changes, ROOM)


def test_only_what_the_release_has_can_be_limited_and_one_offs() -> None:
    limits.check_limited({"web": {}, "release": {}, "run": {}}, {"web": "a", "release": "b"})
    with pytest.raises(InvalidInput, match='no process "nope"; this release has: web, run'):
        limits.check_limited({"nope": {}}, {"web": "a"})


def test_the_usual_limits_leave_a_fingerprint_as_it_was_and_others_change_it() -> None:
    """Instances that were started before there were sizes go on after an upgrade."""
    usual = spec("sha256:aa", "run")
    assert usual.fingerprint == "ccfac043e9803298"
    others = [replace(usual, **change) for change in ({"cpu": 0.5}, {"pids": 100}, {"share": 256}, {"memory": 65})]
    assert len({usual.fingerprint, *(other.fingerprint for other in others)}) == 5
