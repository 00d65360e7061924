"""Which settings an installation ends up with."""

import os
from pathlib import Path

import pytest

from wherry import settings
from wherry.errors import InvalidInput
from wherry.setup import machine, values


def test_the_name_of_a_second_platform_follows_from_its_folder(tmp_path: Path) -> None:
    home = tmp_path / "Wherry_Two"
    assert values.decide({"WHERRY_HOME": str(home)})["WHERRY_NAME"] == "wherry-two"


@pytest.mark.parametrize("folder", ["123", "-", "wherry", "a" * 40, "é"])
def test_any_folder_gives_a_name_that_is_allowed(tmp_path: Path, folder: str) -> None:
    kept = values.decide({"WHERRY_HOME": str(tmp_path / folder)})
    assert settings.load(kept).name


def test_a_second_platform_has_users_of_its_own(tmp_path: Path) -> None:
    first = values.settings_of({"WHERRY_HOME": "/var/lib/wherry", "WHERRY_NAME": "wherry"})
    second = values.settings_of(values.decide({"WHERRY_HOME": str(tmp_path / "two")}))
    assert (first.user, first.api_user) == ("wherry", "wherry-api")
    assert (second.user, second.api_user) == ("two", "two-api")


def test_what_was_given_once_is_kept_and_what_is_given_now_wins(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    home.mkdir()
    first = values.decide({"WHERRY_HOME": str(home), "WHERRY_HTTP_PORT": "8080", "WHERRY_DOMAIN": "apps.example.org"})
    values.keep(values.settings_of(first), first)
    again = values.settings_of(values.decide({"WHERRY_HOME": str(home)}))
    assert (again.http_port, again.domain) == (8080, "apps.example.org")
    moved = values.settings_of(values.decide({"WHERRY_HOME": str(home), "WHERRY_HTTP_PORT": "8081"}))
    assert (moved.http_port, moved.domain) == (8081, "apps.example.org")


def test_keeping_the_same_values_does_not_touch_the_file(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    home.mkdir()
    kept = values.decide({"WHERRY_HOME": str(home)})
    values.keep(values.settings_of(kept), kept)
    before = (home / "settings.env").stat().st_mtime_ns
    values.keep(values.settings_of(kept), kept)
    assert (home / "settings.env").stat().st_mtime_ns == before


@pytest.mark.parametrize("home", ["/", "/usr", "/var/lib/we rry", "/x" * 60, "/srv/$(id)"])
def test_a_home_that_is_no_folder_of_its_own_is_refused_with_an_example(home: str) -> None:
    with pytest.raises(InvalidInput, match=r"WHERRY_HOME.*e\.g\. /var/lib/wherry"):
        values.settings_of({"WHERRY_HOME": home, "WHERRY_NAME": "demo"})


def test_a_machine_serves_below_its_public_address_or_localhost() -> None:
    address = machine.public_address()
    assert machine.default_domain() == (f"{address.replace('.', '-')}.sslip.io" if address else "localhost")


@pytest.mark.parametrize("size", ["", "1", "G", "1T", "-1G", "1.5G", "9999999G", "1M"])
def test_a_swap_size_that_makes_no_sense_is_refused(tmp_path: Path, size: str) -> None:
    with pytest.raises(InvalidInput, match="64M to 32G"):
        machine.make_swap(size, tmp_path / "swap")
    assert not (tmp_path / "swap").exists()


def test_a_home_that_the_platforms_own_accounts_can_not_reach_is_refused_with_the_folder_in_the_way() -> None:
    way = Path("/var/tmp") / f"wherry-closed-{os.getpid()}"
    way.mkdir(mode=0o700)
    try:
        assert machine.closed_above(way / "apps" / "wherry") == way
        way.chmod(0o711)
        assert machine.closed_above(way / "apps" / "wherry") is None
    finally:
        way.rmdir()
