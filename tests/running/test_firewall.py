"""The wall between apps and the host: real rules, found and taken away again."""

import os
from collections.abc import Iterator

import pytest

from wherry import command
from wherry.running import firewall

pytestmark = pytest.mark.engine

NAME, BRIDGES = f"t{os.getpid() % 100_000}", f"wt{os.getpid() % 10_000}"


def rules(chain: str) -> list[str]:
    found = command.run(["iptables", "-S", chain], check=False).out.decode().splitlines()
    return [rule for rule in found if BRIDGES in rule or NAME in rule]


@pytest.fixture
def wall() -> Iterator[None]:
    assert firewall.apply(NAME, BRIDGES, (8080, 8443)) is None
    yield
    firewall.clear(NAME, BRIDGES)


def test_what_comes_from_an_apps_bridge_meets_the_wall(wall: None) -> None:
    assert rules("INPUT") == [f"-A INPUT -i {BRIDGES}+ -j WHERRY-{NAME}"]
    assert rules(f"WHERRY-{NAME}")[-2:] == [
        f"-A WHERRY-{NAME} -p tcp -j REJECT --reject-with tcp-reset",
        f"-A WHERRY-{NAME} -j DROP",
    ]
    assert f"-A DOCKER-USER -d 169.254.0.0/16 -i {BRIDGES}+ -j DROP" in rules("DOCKER-USER")


def test_building_it_again_changes_nothing(wall: None) -> None:
    before = rules("INPUT"), rules(f"WHERRY-{NAME}"), rules("DOCKER-USER")
    assert firewall.apply(NAME, BRIDGES, (8080, 8443)) is None
    assert (rules("INPUT"), rules(f"WHERRY-{NAME}"), rules("DOCKER-USER")) == before


def test_nothing_is_left_of_it() -> None:
    firewall.apply(NAME, BRIDGES, (8080,))
    firewall.clear(NAME, BRIDGES)
    assert rules("INPUT") == rules("DOCKER-USER") == rules(f"WHERRY-{NAME}") == []
