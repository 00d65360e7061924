"""`.dockerignore` leaves out what Docker's own client leaves out."""

from __future__ import annotations

import time
import tomllib
from typing import Any

import pytest

import building_support as support
from wherry.building import glob, ignore
from wherry.errors import DeployFailed

RECORDED = tomllib.loads((support.DATA / "dockerignore.toml").read_text("utf-8"))


@pytest.mark.parametrize("case", [case for case in RECORDED["case"] if "kept" in case], ids=lambda case: repr(case["text"]))
def test_what_docker_sends_is_sent(case: dict[str, Any]) -> None:
    rules = ignore.parse(case["text"])
    assert sorted(name for name in RECORDED["files"] if not rules.leaves_out(name)) == case["kept"]


@pytest.mark.parametrize("case", [case for case in RECORDED["case"] if "error" in case], ids=lambda case: repr(case["text"]))
def test_what_docker_refuses_is_refused_with_its_line(case: dict[str, Any]) -> None:
    with pytest.raises(DeployFailed, match=r"\.dockerignore line 1: "):
        ignore.parse(case["text"])


@pytest.mark.parametrize("case", [case for case in RECORDED["case"] if "kept" in case], ids=lambda case: repr(case["text"]))
def test_the_slow_and_the_quick_matcher_agree(case: dict[str, Any]) -> None:
    for line in case["text"].splitlines():
        quick = glob.glob(line.strip("!/ ").removeprefix("./"))
        slow = glob.Glob(quick.tokens, None)
        assert [slow.matches(name) for name in RECORDED["files"]] == [quick.matches(name) for name in RECORDED["files"]]


def test_a_hostile_pattern_takes_no_time() -> None:
    rules = ignore.parse("**/a*a*a*a*a*a*a*a*a/**/b\n" + "**/x" * 60)
    began = time.process_time()
    assert not rules.leaves_out("a" * 250 + "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" * 60 + "/c")
    assert time.process_time() - began < 5


def test_ten_thousand_patterns_are_refused() -> None:
    with pytest.raises(DeployFailed, match=r"\.dockerignore has 10,000 patterns: up to 500 are allowed"):
        ignore.parse("a\n" * 10_000)
