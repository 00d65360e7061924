"""What stands before an app: wildcards, HTTPS, allow-lists, passwords, maintenance. Real requests through a real HAProxy."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from routing_support import Answer, Haproxy, Upstream, Visitor, get, say
from wherry.errors import InvalidInput
from wherry.routing import haproxy_config
from wherry.routing.haproxy_config import Files, check_route
from wherry.routing.haproxy_front import apart, prefixes
from wherry.routing.hosts import covers, is_domain, normalise_domain
from wherry.routing.proxy import Door, Route, credential

HOST, SALT = "shop.example.org", "0f" * 16
Instance = Callable[[str], Upstream]
ALICE = ((credential(SALT, "alice", "correct horse"), "alice"),)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def visit(haproxy: Haproxy, instance: Instance) -> Callable[..., Answer]:
    """Publishes the shop with a front and asks for it."""
    target = instance("web.1-a").target

    def ask(front: dict[str, object], host: str = HOST, path: str = "/", **headers: str) -> Answer:
        wished = Route("shop", (HOST,), (target,))
        haproxy.proxy.publish(replace(wished, **front))  # type: ignore[arg-type]
        return get(haproxy.settings.http_port, host, path, **headers)

    return ask


# Domains


@pytest.mark.parametrize(
    ("given", "kept"), [("*.Shop.Example.org.", "*.shop.example.org"), ("*.bücher.de", "*.xn--bcher-kva.de"), ("a.b", "a.b")]
)
def test_a_wildcard_is_kept_in_one_form(given: str, kept: str) -> None:
    assert normalise_domain(given) == kept
    assert is_domain(kept)


@pytest.mark.parametrize("given", ["*", "*.", "*.org", "*.*.example.org", "a.*.example.org", "*a.example.org", "*.192.0.2.1", "*.a.com/x"])
def test_what_is_no_wildcard_is_refused_with_the_form(given: str) -> None:
    with pytest.raises(InvalidInput, match=r"give (a wildcard as|the host name only)"):
        normalise_domain(given)


def test_a_wildcard_stands_for_one_label() -> None:
    assert [covers("*.a.org", host) for host in ("b.a.org", "a.org", "c.b.a.org", "*.a.org", "*.b.a.org")] == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_a_wildcard_host_is_served_and_an_exact_one_of_another_app_wins(haproxy: Haproxy, instance: Instance) -> None:
    port = haproxy.settings.http_port
    haproxy.proxy.publish(Route("shop", ("*.shop.example.org",), (instance("web.1-a").target,)))
    haproxy.proxy.publish(Route("blog", ("blog.shop.example.org",), (instance("web.1-b").target,)))
    assert [get(port, f"{name}.shop.example.org").text for name in ("any", "ANY", "blog")] == ["web.1-a", "web.1-a", "web.1-b"]
    assert [get(port, f"any.shop.example.org{end}").text for end in (".", ":8080", ".:8080")] == ["web.1-a"] * 3
    assert [get(port, host).status for host in ("shop.example.org", "a.b.shop.example.org")] == [421, 421]
    assert get(port, "*.shop.example.org").status == 400, "a wildcard is in the map, and is nobody's host"
    assert haproxy.proxy.routes()["shop"].hosts == ("*.shop.example.org",)


# HTTPS


def test_a_secure_host_sends_visitors_to_https(visit: Callable[..., Answer], haproxy: Haproxy) -> None:
    answer = visit({"hosts": ("*.example.net", HOST), "secure": ("*.example.net", HOST)}, path="/a?b=c")
    assert (answer.status, answer.headers["location"]) == (301, f"https://{HOST}:{haproxy.settings.https_port}/a?b=c")
    assert get(haproxy.settings.http_port, "a.example.net", "//evil").headers["location"].startswith("https://a.example.net:")
    posted = say(haproxy.settings.http_port, f"POST /a HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n".encode())
    assert posted.startswith(b"HTTP/1.1 308 ")
    assert visit({}).status == 200


def test_only_the_secure_host_of_two_is_sent_away(visit: Callable[..., Answer], haproxy: Haproxy) -> None:
    assert visit({"hosts": ("other.example.org", HOST), "secure": (HOST,)}, host="other.example.org").status == 200
    assert haproxy.proxy.routes()["shop"].secure == (HOST,)


# Allow-lists


@pytest.mark.parametrize(
    ("allow", "status"),
    [
        (("127.0.0.1/32",), 200),
        (("127.0.0.0/8",), 200),
        (("126.0.0.0/7",), 200),
        (("127.0.0.0/31",), 200),
        (("0.0.0.0/0",), 200),
        (("127.0.0.0/32",), 403),
        (("127.0.0.2/31",), 403),
        (("::/0",), 403),
        (("192.0.2.0/24", "2001:db8::/33"), 403),
    ],
)
def test_only_addresses_on_the_list_get_in(visit: Callable[..., Answer], haproxy: Haproxy, allow: tuple[str, ...], status: int) -> None:
    assert visit({"door": Door(allow=allow)}).status == status
    assert haproxy.proxy.routes()["shop"].door.allow == allow
    assert visit({}).status == 200


def test_the_list_of_one_app_says_nothing_about_another(visit: Callable[..., Answer], haproxy: Haproxy, instance: Instance) -> None:
    haproxy.proxy.publish(Route("sho", ("sho.example.org",), (instance("web.1-b").target,), door=Door(allow=("0.0.0.0/0",))))
    assert visit({"door": Door(allow=("10.0.0.0/8",))}).status == 403
    assert get(haproxy.settings.http_port, "sho.example.org").status == 200


def test_the_digits_of_a_network_are_those_of_its_addresses_and_of_no_other() -> None:
    dice = random.Random(7)
    for length in range(33):
        network = ipaddress.ip_network((dice.getrandbits(32) >> (32 - length) << (32 - length), length))
        found = [prefix.partition("/")[2] for prefix in prefixes(str(network))]
        assert len(found) <= 8
        near = [
            int(network.network_address) - 1,
            int(network.network_address),
            int(network.broadcast_address),
            int(network.broadcast_address) + 1,
        ]
        for number in (*near, *(dice.getrandbits(32) for _ in range(20))):
            if 0 <= number < 2**32:
                inside = any(f"{number:08X}".startswith(prefix) for prefix in found)
                assert inside == (ipaddress.ip_address(number) in network), (network, number)


def test_networks_inside_others_are_left_out() -> None:
    assert apart(["10.0.0.0/9", "10.0.0.0/12", "10.0.0.0/9", "192.0.2.1/32", "::/0", "2001:db8::/32"]) == (
        "10.0.0.0/9",
        "192.0.2.1/32",
        "::/0",
    )


# Names and passwords


def test_an_app_with_users_asks_for_name_and_password(visit: Callable[..., Answer]) -> None:
    door = {"door": Door(salt=SALT, users=ALICE)}
    refused = visit(door)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Basic realm="shop", charset="UTF-8"')
    for user, password in (("alice", "wrong"), ("bob", "correct horse"), ("alice", ""), ("", ""), ("alice:correct", "horse")):
        assert visit(door, Authorization=basic(user, password)).status == 401
    for header in ("Basic", "Basic ???", "Bearer x", "Basic " + "A" * 9000):
        assert visit(door, Authorization=header).status == 401
    assert visit(door, Authorization=basic("alice", "correct horse")).status == 200
    assert visit({}).status == 200


def test_the_app_learns_the_name_and_not_the_password(haproxy: Haproxy, instance: Instance) -> None:
    upstream = instance("web.1-a")
    haproxy.proxy.publish(Route("shop", (HOST,), (upstream.target,), door=Door(salt=SALT, users=ALICE)))
    forged = {"Authorization": basic("alice", "correct horse"), "X-Forwarded-User": "root"}
    assert get(haproxy.settings.http_port, HOST, **forged).status == 200
    head = upstream.received[-1].lower()
    assert b"x-forwarded-user: alice\r\n" in head
    assert b"authorization" not in head and b"root" not in head


def test_an_app_without_users_gets_its_own_authorization(haproxy: Haproxy, instance: Instance) -> None:
    upstream = instance("web.1-a")
    haproxy.proxy.publish(Route("shop", (HOST,), (upstream.target,), door=Door(allow=("0.0.0.0/0",))))
    get(haproxy.settings.http_port, HOST, Authorization="Bearer mine")
    assert b"bearer mine" in upstream.received[-1].lower()


def test_a_password_of_one_app_opens_no_other(visit: Callable[..., Answer], haproxy: Haproxy, instance: Instance) -> None:
    other = Door(salt=SALT, users=((credential(SALT, "bob", "secret bob"), "bob"),))
    haproxy.proxy.publish(Route("blog", ("blog.example.org",), (instance("web.1-b").target,), door=other))
    assert visit({"door": Door(salt=SALT, users=ALICE)}, Authorization=basic("bob", "secret bob")).status == 401


# Maintenance


def test_an_app_in_maintenance_says_h80(visit: Callable[..., Answer]) -> None:
    door = {"door": Door(maintenance="plain")}
    page = visit(door)
    assert (page.status, page.headers["retry-after"], page.headers["cache-control"]) == (503, "60", "no-store")
    assert f"<h1><bdi>{HOST}</bdi> is in maintenance</h1>" in page.text
    problem = visit(door, Accept="application/json")
    assert (problem.status, problem.headers["content-type"], problem.json()["code"]) == (503, "application/problem+json", "H80")
    assert visit({}).status == 200


@pytest.mark.parametrize("maintenance", ["plain", "own"])
def test_maintenance_is_told_without_a_password_and_nothing_else_is(haproxy: Haproxy, instance: Instance, maintenance: str) -> None:
    upstream = instance("web.1-a")
    html = "<h1>back at noon</h1>"
    digest = hashlib.sha256(html.encode()).hexdigest()
    haproxy.proxy.keep_page(digest, html)
    door = Door(("127.0.0.1/32",), SALT, ALICE, "plain" if maintenance == "plain" else digest)
    shop = Route("shop", (HOST,), (upstream.target,), door=door)
    haproxy.proxy.publish(shop)
    port, right = haproxy.settings.http_port, basic("alice", "correct horse")
    heard = len(upstream.received)
    answers = [get(port, HOST, path, **head) for path in ("/", "/a?b") for head in ({}, {"Authorization": right}, {"Upgrade": "websocket"})]
    for answer in answers:
        assert (answer.status, answer.headers.get("www-authenticate"), answer.headers["retry-after"]) == (503, None, "60")
        assert ("is in maintenance" if maintenance == "plain" else html) in answer.text
    for method in ("POST", "OPTIONS", "DELETE"):
        said = say(port, f"{method} /a HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi".encode())
        assert said.startswith(b"HTTP/1.1 503 ")
    assert upstream.received[heard:] == []
    haproxy.proxy.publish(replace(shop, door=replace(door, allow=("192.0.2.0/24",))))
    assert get(port, HOST).status == 403, "whom the list keeps out learns nothing"
    haproxy.proxy.publish(replace(shop, door=replace(door, maintenance="")))
    assert [get(port, HOST, **head).status for head in ({}, {"Authorization": right})] == [401, 200]


@pytest.mark.parametrize("size", [0, 100, 20_000, 65_536])
def test_an_owners_page_is_shown_byte_for_byte(visit: Callable[..., Answer], haproxy: Haproxy, size: int) -> None:
    html = ("<h1>⛵ back at noon %[src] @pages@</h1>" + "x" * size)[:size]
    digest = hashlib.sha256(html.encode()).hexdigest()
    haproxy.proxy.keep_page(digest, html)
    door = {"door": Door(maintenance=digest)}
    page = visit(door)
    assert (page.status, page.headers["content-type"], page.headers["retry-after"]) == (503, "text/html; charset=utf-8", "60")
    assert page.body == html.encode()
    assert visit(door, Accept="application/json").json()["code"] == "H80"
    assert haproxy.proxy.routes()["shop"].door.maintenance == digest


def test_a_page_that_is_lost_gives_way_to_a_plain_one(visit: Callable[..., Answer], haproxy: Haproxy) -> None:
    assert "In maintenance" in visit({"door": Door(maintenance="ab" * 32)}).text
    port = haproxy.settings.http_port
    head = say(port, f"HEAD / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
    assert head.startswith(b"HTTP/1.1 503 ") and head.endswith(b"\r\n\r\n")


def test_many_askers_of_a_page_share_their_connections(visit: Callable[..., Answer], haproxy: Haproxy) -> None:
    html = "y" * 40_000
    haproxy.proxy.keep_page(hashlib.sha256(html.encode()).hexdigest(), html)
    visit({"door": Door(maintenance=hashlib.sha256(html.encode()).hexdigest())})
    visitor = Visitor(haproxy.settings.http_port)
    assert {len(visitor.get(HOST).body) for _ in range(20)} == {40_000}
    visitor.close()


# All together


FULL = Route(
    "shop", ("*.shop.example.org", HOST), (), "stopped", ("*.shop.example.org", HOST), "max-age=600;includeSubDomains",
    Door(("10.0.0.0/8", "127.0.0.0/9", "2001:db8::/35"), SALT, ALICE, "plain"),
)  # fmt: skip


def test_what_is_published_is_read_back_whole_and_changed_whole(haproxy: Haproxy) -> None:
    steps = [
        FULL,
        replace(FULL, door=Door(("10.0.0.0/8",), maintenance="plain"), hsts=""),
        replace(FULL, hosts=(HOST,), secure=(HOST,), hsts="max-age=5"),
        replace(FULL, hosts=(), secure=(), hsts="", door=Door()),
        FULL,
    ]
    for wished in steps:
        haproxy.proxy.publish(wished)
        assert haproxy.proxy.routes() == {"shop": wished}
    haproxy.proxy.withdraw("shop")
    assert haproxy.proxy.routes() == {}
    maps = Files(haproxy.settings).maps
    assert {Path(path).read_text() for path in (maps.hosts, maps.secure, maps.doors, maps.allow, maps.users)} == {""}


def test_a_front_outlives_haproxy(own_haproxy: Haproxy) -> None:
    own_haproxy.proxy.publish(FULL)
    own_haproxy.kill()
    own_haproxy.start()
    assert own_haproxy.proxy.routes() == {"shop": FULL}


def test_after_a_boot_the_door_is_there_before_the_app(own_haproxy: Haproxy) -> None:
    own_haproxy.proxy.publish(FULL)
    own_haproxy.stop()
    haproxy_config.prepare(own_haproxy.settings)
    own_haproxy.start()
    assert own_haproxy.proxy.routes() == {"shop": FULL}


def test_a_host_that_moves_takes_no_rule_along(haproxy: Haproxy, instance: Instance) -> None:
    haproxy.proxy.publish(replace(FULL, hosts=(HOST,), secure=(HOST,)))
    haproxy.proxy.publish(Route("blog", (HOST,), (instance("web.1-b").target,)))
    assert get(haproxy.settings.http_port, HOST).text == "web.1-b"
    haproxy.proxy.publish(replace(FULL, hosts=(), secure=(), hsts=""))
    assert get(haproxy.settings.http_port, HOST).text == "web.1-b"


@pytest.mark.parametrize(
    "front",
    [
        {"hosts": ("*.org",)},
        {"secure": ("other.org",)},
        {"secure": (HOST,), "hsts": "max-age=1 ; x"},
        {"hsts": "max-age=1"},
        {"door": Door(allow=("10.0.0.1/8",))},
        {"door": Door(allow=("10.0.0.0/8", "10.0.0.0/9"))},
        {"door": Door(allow=("localhost",))},
        {"door": Door(salt=SALT)},
        {"door": Door(users=ALICE)},
        {"door": Door(salt=SALT, users=((ALICE[0][0], "al ice"),))},
        {"door": Door(salt=SALT, users=(("abc", "alice"),))},
        {"door": Door(maintenance="../x")},
    ],
)
def test_a_front_out_of_its_form_never_reaches_the_proxy(front: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        check_route(replace(Route("shop", (HOST,)), **front))  # type: ignore[arg-type]
