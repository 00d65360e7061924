"""What may be set for checks, and what it comes to."""

import pytest

from wherry.errors import InvalidInput
from wherry.model.check import HealthCheck
from wherry.model.check_settings import applied, before_visitors, changed, check_types, is_disabled, moved, words

CHECKS = {"web": (HealthCheck("/a"), HealthCheck("/r", type="readiness", wait=9)), "worker": (HealthCheck(uptime=5),)}


def test_what_is_set_holds_over_what_the_source_says() -> None:
    found = applied({"wait": 2, "timeout": 7}, CHECKS)
    assert [(check.wait, check.timeout) for check in found["web"]] == [(2, 7), (2, 7)]
    assert applied({}, CHECKS) == CHECKS


def test_what_is_disabled_is_not_asked_and_what_is_skipped_is_asked_later() -> None:
    assert applied({"disabled": ["web"]}, CHECKS).keys() == {"worker"}
    assert applied({"disabled": ["*"]}, CHECKS) == {}
    assert before_visitors({"skipped": ["web"]}, "web", CHECKS["web"]) == ()
    assert before_visitors({"skipped": ["worker"]}, "web", CHECKS["web"]) == CHECKS["web"]


def test_types_move_between_the_lists() -> None:
    assert moved({}, ["web"], "disabled") == {"disabled": ["web"]}
    assert moved({"disabled": ["web"], "wait": 2}, ["web"], "skipped") == {"skipped": ["web"], "wait": 2}
    assert moved({"disabled": ["web"]}, [], "disabled") == {"disabled": ["*"]}
    assert moved({"disabled": ["*"]}, [], None) == {}
    assert is_disabled({"disabled": ["*"]}, "worker") and not is_disabled({"disabled": ["web"]}, "worker")


def test_numbers_are_set_and_taken_back() -> None:
    assert changed({"wait": 2}, {"timeout": 7, "wait": None}) == {"timeout": 7}
    for wished in ({}, {"tiemout": 7}, {"wait": 0}, {"wait": "3"}, {"wait": True}, {"bake": -1}, {"attempts": 1.5}):
        with pytest.raises(InvalidInput, match=r"give|set one of"):
            changed({}, wished)


def test_a_change_is_told_in_words() -> None:
    assert words({}, {"timeout": 7, "bake": 0}) == "Set checks: bake=0 timeout=7"
    assert words({"timeout": 7}, {}) == "Set checks: timeout=default"
    assert words({}, {"disabled": ["*"]}) == "Disable checks of all processes"
    assert words({"disabled": ["web"]}, {"skipped": ["web"]}) == "Skip startup checks of web"
    assert words({"disabled": ["web"]}, {}) == "Enable checks"


def test_an_unknown_process_is_named() -> None:
    assert check_types(["_all_", "web"], ["web"]) == ["*", "web"]
    with pytest.raises(InvalidInput, match='no process "wbe"; this release has: web'):
        check_types(["wbe"], ["web"])
