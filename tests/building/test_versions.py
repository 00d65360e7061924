"""Which version of a language an app gets."""

from __future__ import annotations

import pytest

from wherry.building.versions import Wish, choose, fits
from wherry.errors import DeployFailed

OFFERS = ("3.9", "3.10", "3.11", "3.12", "3.13")


@pytest.mark.parametrize(
    ("wish", "version"),
    [
        (None, "3.12"),
        (Wish("3.10", ".python-version"), "3.10"),
        (Wish(">=3.11", "pyproject.toml", range=True), "3.12"),
        (Wish(">=3.9,<3.12", "pyproject.toml", range=True), "3.11"),
        (Wish("^3.9", "pyproject.toml", range=True), "3.12"),
        (Wish("==3.13.*", "pyproject.toml", range=True), "3.13"),
        (Wish("~=3.10.2", "pyproject.toml", range=True), "3.10"),
        (Wish("3.11.4", "pyproject.toml", range=True), "3.11"),
        (Wish("what ever", "pyproject.toml", range=True), "3.12"),
    ],
)
def test_the_version_is_the_one_asked_for_or_the_default_within_a_range(wish: Wish | None, version: str) -> None:
    assert choose(wish, "3.12", OFFERS, "Python") == version


@pytest.mark.parametrize(("patches", "version"), [(True, "3.10.4"), (False, "3.10")])
def test_an_app_gets_the_very_patch_it_names_where_there_is_an_image_of_each(patches: bool, version: str) -> None:
    assert choose(Wish("3.10", "Gemfile", patch="3.10.4"), "3.12", OFFERS, "Ruby", patches=patches) == version


@pytest.mark.parametrize(("asked", "version"), [("11", "21"), ("17", "17"), ("8", "21")])
def test_the_default_does_for_an_app_that_asks_for_at_least_one(asked: str, version: str) -> None:
    assert choose(Wish(asked, "pom.xml", least=True), "21", ("17", "21", "25"), "Java") == version


@pytest.mark.parametrize("wish", [Wish("2.7", "runtime.txt"), Wish(">=3.14", "pyproject.toml", range=True)])
def test_a_version_that_is_not_offered_is_refused_with_those_that_are(wish: Wish) -> None:
    with pytest.raises(DeployFailed) as refused:
        choose(wish, "3.12", OFFERS, "Python")
    expected = f"Python {wish.text}, which {wish.source} asks for, is not offered: 3.9, 3.10, 3.11, 3.12, 3.13 are"
    assert refused.value.message == expected
    assert refused.value.hint == f"Ask for one of these in {wish.source}, or build with a Dockerfile."


def test_the_only_version_that_is_offered_is_no_choice() -> None:
    with pytest.raises(DeployFailed) as refused:
        choose(Wish("99", "pom.xml", least=True), "17", ("17",), "Java")
    assert refused.value.message == "Java 99, which pom.xml asks for, is not offered: 17 is"
    assert refused.value.hint == "Ask for this one in pom.xml, or build with a Dockerfile."


@pytest.mark.parametrize(
    ("version", "range_", "fit"),
    [
        ("3.12", ">=3.12.4", True),
        ("3.12", "<3.12", False),
        ("3.12", ">3.12", True),
        ("3.12", "!=3.12.1", True),
        ("3.12", "!=3.12", False),
        ("3.12", "~3.12", True),
        ("3.13", "~3.12", False),
        ("3.9", ">=3.10", False),
        ("3.13", "~=3.9", True),
        ("4.0", "^3.9", False),
        ("3.12", ">=3.9, <4.0, !=3.11", True),
        ("8.2", "^7.4 || ^8.1", True),
        ("8.2", "^7.4|^8.3", False),
        ("8.2", ">=8.1 <8.2", False),
        ("8.2", "8.2.*", True),
        ("3.3", "~> 3.1", True),
        ("3.3", "~> 3.2.1", False),
        ("3.3", "", True),
    ],
)
def test_ranges_are_read_as_their_tools_read_them(version: str, range_: str, fit: bool) -> None:
    assert fits(version, range_) is fit


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        (">=18 <21", "18 20"),
        ("20.x", "20"),
        ("20.11.1", "20"),
        ("v20", "20"),
        ("~20.1", "20"),
        ("18 - 20", "18 20"),
        ("18 || 22", "18 22"),
        (">= 18 <=22", "18 20 22"),
        ("^18.18.0 || ^20.9.0 || >=22", "18 20 22 24"),
        ("<20.5", "18"),
        ("*", "18 20 22 24"),
    ],
)
def test_a_range_as_npm_writes_it_is_understood(text: str, fitting: str) -> None:
    assert [version for version in ("18", "20", "22", "24") if fits(version, text)] == fitting.split()
