"""Which certificates there should be and when they are renewed: pure rules, one sentence each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wherry import clock, settings
from wherry.model.app import App
from wherry.model.certificate import Certificate, Facts, is_public
from wherry.model.front import Front
from wherry.reconciler.certificate_plan import WAITS, next_look, plan, renewal_time, wait_after, wanted_hosts

START = datetime(2026, 11, 21, tzinfo=UTC)
SHOP = App(1, "shop", "", "alice", domains=("shop.org", "*.shop.org"))


def at(days: float) -> str:
    return clock.text(START + timedelta(days=days))


def given(**words: str) -> settings.Settings:
    return settings.load({"WHERRY_ACME_EMAIL": "me@example.org", "WHERRY_DOMAIN": "apps.org", **words})


def row(name: str, origin: str = "acme", state: str = "active", days: float = 90, **more: object) -> Certificate:
    names = more.pop("names", (name,))
    facts = Facts(names, "CA", "1", "AB", at(0), at(days)) if state != "pending" else None  # type: ignore[arg-type]
    return Certificate(1, "shop", 1, name, origin, state, at(0), facts, **more)  # type: ignore[arg-type]


def ordered(found: object) -> list[str]:
    return [host for _, host in found.order]  # type: ignore[attr-defined]


def test_every_public_domain_gets_a_certificate_and_a_wildcard_only_where_dns_can_prove_it() -> None:
    assert ordered(plan([SHOP], [], given(), at(1))) == ["shop.org", "shop.apps.org"]
    assert ordered(plan([SHOP], [], given(WHERRY_ACME_DNS_HOOK="/hook"), at(1))) == ["shop.org", "*.shop.org", "shop.apps.org"]
    assert ordered(plan([SHOP], [], given(WHERRY_ACME_CHALLENGE="dns"), at(1))) == []


def test_nothing_is_ordered_without_an_address_or_against_the_app_s_wish_or_for_private_names() -> None:
    assert ordered(plan([SHOP], [], settings.load({}), at(1))) == []
    assert ordered(plan([replace(SHOP, front=Front(certs_auto=False))], [], given(), at(1))) == []
    assert (
        ordered(plan([replace(SHOP, domains=("raspberrypi", "shop.local", "a.internal"))], [], given(WHERRY_DOMAIN="localhost"), at(1)))
        == []
    )


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("a.org", True),
        ("*.a.org", True),
        ("localhost", False),
        ("a.localhost", False),
        ("pi", False),
        ("x.home.arpa", False),
        ("home.arpa.org", True),
    ],
)
def test_only_public_names_are_asked_for(host: str, public: bool) -> None:
    assert is_public(host) is public


def test_a_host_that_a_person_s_certificate_serves_is_left_to_it_until_it_expires() -> None:
    own = row("shop.org", "own", names=("shop.org", "*.shop.org"))
    both = [own, row("*.shop.org")]
    assert wanted_hosts(SHOP, both, given(), at(1)) == ["shop.apps.org"]
    assert plan([SHOP], both, given(), at(1)).remove == (both[1],)
    assert wanted_hosts(SHOP, both, given(), at(91)) == ["shop.org", "shop.apps.org"]


def test_what_a_domain_left_behind_goes() -> None:
    gone, stays, own = row("old.org"), row("shop.org"), row("else.org", "own")
    assert plan([SHOP], [gone, stays, own], given(), at(1)).remove == (gone, own)


def test_an_order_under_way_goes_with_its_wish_and_a_certificate_in_force_stays() -> None:
    waiting, here = row("shop.org", state="pending"), row("shop.apps.org")
    off = replace(SHOP, front=Front(certs_auto=False))
    assert plan([off], [waiting, here], given(), at(1)).remove == (waiting,)
    assert plan([off], [here], given(), at(80)).due == ()


def test_of_two_brought_for_the_same_hosts_the_later_stays() -> None:
    first, second = row("shop.org", "own"), replace(row("*.shop.org", "own", names=("shop.org", "*.shop.org")), created_at=at(1))
    assert plan([SHOP], [first, second], given(), at(2)).remove == (first,)


def test_an_automatic_one_takes_the_place_of_a_person_s_that_has_expired() -> None:
    over = row("shop.org", "own", "expired", days=1)
    assert ordered(plan([SHOP], [over, row("shop.apps.org")], given(), at(2))) == ["shop.org"]
    waits = replace(over, arrival="certificate-x")
    assert ordered(plan([SHOP], [waits, row("shop.apps.org")], given(), at(2))) == [], "a successor has been brought"
    assert ordered(plan([SHOP], [over, row("shop.apps.org")], settings.load({}), at(2))) == []


def test_what_has_expired_is_marked_and_what_has_come_is_taken_up() -> None:
    old, come = row("shop.org", days=10), row("*.shop.org", "own", arrival="certificate-1")
    found = plan([SHOP], [old, come], given(), at(11))
    assert (found.expire, found.install) == ((old,), (come,))


def test_a_row_is_due_when_its_time_has_come() -> None:
    early, late = row("shop.org", next_try=at(1)), row("shop.apps.org", next_try=at(3))
    assert plan([SHOP], [early, late], given(), at(2)).due == (early,)


@pytest.mark.parametrize(("dice", "day"), [(0.0, 60.0), (1.0, 55.5)])
def test_renewal_is_after_two_thirds_of_a_life_up_to_a_twentieth_earlier(dice: float, day: float) -> None:
    facts = row("shop.org").facts
    assert facts is not None
    assert renewal_time(facts, None, dice) == at(day)


def test_the_authority_s_advice_goes_before_our_own_rule_but_not_past_the_end() -> None:
    facts = row("shop.org").facts
    assert facts is not None
    assert renewal_time(facts, at(5), 0.5) == at(5)
    assert renewal_time(facts, at(500), 0.5) == at(90)


def test_advice_is_asked_for_again_at_most_every_six_hours_and_not_at_all_where_none_is_given() -> None:
    assert next_look(at(60), None, at(0.25), at(0)) == at(60)
    assert next_look(at(60), at(60), at(0.01), at(0)) == at(0.25)
    assert next_look(at(60), at(60), at(1), at(0)) == at(1)
    assert next_look(at(0.1), at(0.1), at(1), at(0)) == at(0.1)


def test_waits_grow_spread_and_heed_the_authority() -> None:
    waits = [wait_after(attempts, "", None, 0.5) for attempts in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[:2] == [60, 300]
    assert waits[-1] == WAITS[-1]
    assert wait_after(1, "", None, 0.0) == 54 and wait_after(1, "", None, 1.0) == 66
    assert wait_after(1, "rateLimited", None, 0.0) == 3600
    assert wait_after(1, "rateLimited", 7200, 0.0) == 7200
    assert wait_after(1, "", 100, 0.0) == 100
