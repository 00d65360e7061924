"""Which host names are taken, in which form, and what is said about the others."""

from __future__ import annotations

import pytest

from wherry.errors import InvalidInput
from wherry.routing.hosts import normalise, readable


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.com", "a.com"),
        ("A.COM", "a.com"),
        ("a.com.", "a.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("BÜCHER.de", "xn--bcher-kva.de"),
        ("shop.localhost", "shop.localhost"),
        ("raspberrypi", "raspberrypi"),
        ("203.0.113.7.sslip.io", "203.0.113.7.sslip.io"),
    ],
)
def test_a_host_name_is_kept_in_one_form(given: str, kept: str) -> None:
    assert normalise(given) == kept


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://a.com", "a.com"),
        ("a.com/x", "a.com"),
        ("a.com:80", "a.com"),
        ("https://user@A.com:8443/x?y#z", "a.com"),
        ("a..com", "shop.example.org"),
        ("*", "shop.example.org"),
        ("*.a.com", "shop.example.org"),
        ("a.com; return 200", "shop.example.org"),
        ("a.com\n}", "a.com"),
        ("", "shop.example.org"),
        (".", "shop.example.org"),
        ("192.0.2.1", "shop.example.org"),
        ("::1", "shop.example.org"),
        ("-a.com", "shop.example.org"),
        ("a_b.com", "shop.example.org"),
        ("a.com\0", "shop.example.org"),
        ("a" * 64 + ".com", "shop.example.org"),
        (".".join(["a" * 60] * 5), "shop.example.org"),
        ("a.com..", "shop.example.org"),
    ],
)
def test_anything_else_is_answered_with_the_allowed_form(given: str, meant: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        normalise(given)
    assert str(raised.value).endswith(f": give the host name only: {meant}")
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("shop.example.org", "shop.example.org"),
        ("xn--bcher-kva.de", "bücher.de"),
        ("*.xn--bcher-kva.de", "*.bücher.de"),
        ("a.xn--p1ai", "a.рф"),
        ("xn--strae-oqa.de", "xn--strae-oqa.de"),
        ("xn--a.de", "xn--a.de"),
        ("xn--99999999.de", "xn--99999999.de"),
    ],
)
def test_a_host_name_is_shown_in_its_own_script_when_that_leads_back_to_it(host: str, shown: str) -> None:
    assert readable(host) == shown
