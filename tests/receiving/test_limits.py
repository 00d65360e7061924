"""Who comes in when many knock."""

import pytest

from wherry.receiving import limits
from wherry.receiving.limits import Guest, admit, network_of


def strangers(count: int, since: float, address: str = "") -> list[Guest]:
    return [Guest(address or f"10.0.0.{number}", since) for number in range(count)]


def members(count: int, address: str = "") -> list[Guest]:
    return [Guest(address or f"10.1.0.{number}", 0.0, proven=True) for number in range(count)]


def test_a_newcomer_comes_in_while_there_is_room() -> None:
    assert admit(members(limits.MOST_CONNECTIONS - 1), "10.2.0.1", 100.0).admitted


def test_nobody_comes_in_when_all_places_are_taken_by_people_who_logged_in() -> None:
    admission = admit(members(limits.MOST_CONNECTIONS), "10.2.0.1", 100.0)
    assert (admission.admitted, admission.reason) == (False, f"{limits.MOST_CONNECTIONS} connections are open")


def test_one_address_can_not_take_all_places() -> None:
    admission = admit(members(limits.MOST_PER_ADDRESS, "10.0.0.1"), "10.0.0.1", 100.0)
    assert not admission.admitted
    assert "from 10.0.0.1" in admission.reason
    assert admit(members(limits.MOST_PER_ADDRESS, "10.0.0.1"), "10.0.0.2", 100.0).admitted


def test_the_slowest_stranger_makes_room_for_a_newcomer() -> None:
    crowd = [*strangers(limits.MOST_STRANGERS - 1, since=90.0), Guest("10.9.0.1", since=80.0)]
    admission = admit(crowd, "10.2.0.1", 100.0)
    assert admission.admitted
    assert admission.leaving is crowd[-1]


def test_strangers_who_just_came_are_given_their_moment() -> None:
    assert not admit(strangers(limits.MOST_STRANGERS, since=99.5), "10.2.0.1", 100.0).admitted


def test_a_person_who_logged_in_is_never_sent_away() -> None:
    crowd = [*members(limits.MOST_CONNECTIONS - 1), Guest("10.9.0.1", since=95.0)]
    admission = admit(crowd, "10.2.0.1", 100.0)
    assert admission.leaving is crowd[-1]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_one_customer_is_one_place(address: str, network: str) -> None:
    assert network_of(address) == network
