"""What a visitor reads when no app answers: the right status, a page for people, a document for programs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from free_ports import free_ports
from routing_support import Haproxy, Upstream, get, say
from wherry.routing import haproxy_pages
from wherry.routing.proxy import STATES, Route, Target

HOST = "shop.example.org"


def _state(haproxy: Haproxy, state: str) -> int:
    haproxy.proxy.publish(Route("shop", (HOST,), (), state))
    return haproxy.settings.http_port


@pytest.mark.parametrize(
    ("state", "code", "heading"),
    [
        ("serving", "H10", "is not answering"),
        ("starting", "H20", "is starting"),
        ("no-web", "H14", "has no web process"),
        ("stopped", "H14", "is stopped"),
        ("empty", "H81", "is still empty"),
    ],
)
def test_a_known_host_says_why_it_does_not_serve(haproxy: Haproxy, state: str, code: str, heading: str) -> None:
    port = _state(haproxy, state)
    page = get(port, HOST)
    assert (page.status, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert f"<h1><bdi>{HOST}</bdi> {heading}</h1>" in page.text
    problem = get(port, HOST, Accept="application/json")
    assert (problem.status, problem.headers["content-type"]) == (503, "application/problem+json")
    assert (problem.json()["status"], problem.json()["code"], problem.json()["host"]) == (503, code, HOST)


def test_every_state_has_its_page() -> None:
    assert set(STATES) < set(haproxy_pages.load())


def test_an_unknown_host_reads_that_no_app_is_here(haproxy: Haproxy) -> None:
    page = get(haproxy.settings.http_port, "Nobody.Example.org:8080")
    assert page.status == 421
    assert "<h1>No app here</h1> <p><bdi>nobody.example.org</bdi> is not served" in page.text
    problem = get(haproxy.settings.http_port, "nobody.example.org", Accept="application/problem+json").json()
    assert (problem["status"], problem["code"], problem["host"]) == (421, "no_app", "nobody.example.org")


def test_a_browser_that_takes_anything_gets_the_page(haproxy: Haproxy) -> None:
    accept = "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"
    assert get(haproxy.settings.http_port, "nobody.example.org", Accept=accept).headers["content-type"].startswith("text/html")


def test_a_bad_host_is_told_so_in_both_forms(haproxy: Haproxy) -> None:
    page = get(haproxy.settings.http_port, "a_b")
    assert page.status == 400
    assert "<bdi>" not in page.text
    problem = get(haproxy.settings.http_port, "a_b", Accept="application/json")
    assert problem.json()["code"] == "bad_request"
    assert "host" not in problem.json()


def test_a_starting_app_is_asked_again_by_the_browser(haproxy: Haproxy) -> None:
    page = get(_state(haproxy, "starting"), HOST)
    assert page.headers["retry-after"] == "2"
    assert '<meta http-equiv="refresh" content="2">' in page.text
    assert "http-equiv" not in get(_state(haproxy, "stopped"), HOST).text


def test_no_page_is_kept_by_a_cache(haproxy: Haproxy) -> None:
    port = _state(haproxy, "stopped")
    assert {get(port, host).headers["cache-control"] for host in (HOST, "nobody.example.org", "a_b")} == {"no-store"}


@pytest.mark.parametrize("name", haproxy_pages.load())
def test_a_page_needs_nothing_from_elsewhere_and_fits_a_phone(name: str) -> None:
    text = haproxy_pages.load()[name].html()
    assert re.findall(r"(?:src|href)=|url\(|https?:|@[a-z]+@", text) == []
    assert '<meta name="viewport"' in text
    assert "prefers-color-scheme: dark" in text
    assert text.count(haproxy_pages.HOST) <= 1


def test_head_gets_the_head_only(haproxy: Haproxy) -> None:
    answer = say(haproxy.settings.http_port, b"HEAD / HTTP/1.1\r\nHost: nobody.example.org\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 421 ")
    assert answer.endswith(b"\r\n\r\n")


def test_an_instance_that_refuses_connections_is_named_h10(haproxy: Haproxy) -> None:
    haproxy.proxy.publish(Route("shop", (HOST,), (Target("web.1-gone", "127.0.0.1", free_ports(1)[0]),)))
    assert get(haproxy.settings.http_port, HOST, Accept="application/json").json()["code"] == "H10"


def test_an_app_that_breaks_off_is_named_h13(haproxy: Haproxy, instance: Callable[[str], Upstream]) -> None:
    haproxy.proxy.publish(Route("shop", (HOST,), (instance("web.1-a").target,)))
    problem = get(haproxy.settings.http_port, HOST, "/close", Accept="application/json")
    assert (problem.status, problem.headers["content-type"], problem.json()["code"]) == (502, "application/problem+json", "H13")
    assert get(haproxy.settings.http_port, HOST, "/close").headers["content-type"] == "text/html; charset=utf-8"


def test_the_app_s_own_errors_pass_untouched(haproxy: Haproxy, instance: Callable[[str], Upstream]) -> None:
    haproxy.proxy.publish(Route("shop", (HOST,), (instance("web.1-a").target,)))
    answer = get(haproxy.settings.http_port, HOST, "/503", Accept="application/json")
    assert (answer.status, answer.headers["content-type"], answer.text) == (503, "text/plain", "the app's own words")
