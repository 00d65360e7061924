"""Domains, certificates and visitors by command line: program, API, database, reconciler; engine and proxy in memory."""

from __future__ import annotations

import io
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certificate_support import Authority
from cli_support import Ran, real_api, run
from platform_support import ADMIN, Machine, machine
from waiting import until
from wherry.routing.proxy import Route, credential
from wherry.services import apps, domains
from wherry.store import events

CASES = tomllib.loads((Path(__file__).parent / "data" / "cli_domains.toml").read_text("utf-8"))["case"]


class Wherry:
    """The command line before a platform with handles on it."""

    def __init__(self, platform: Machine, environ: dict[str, str]) -> None:
        self.platform = platform
        self.environ = environ

    def __call__(self, line: str, stdin: bytes = b"") -> Ran:
        return run(line.split(" "), self.environ, stdin)

    def route(self, app: str) -> Route:
        return self.platform.proxy.routes()[app]

    def front(self) -> dict[str, Route]:
        """What people have set: which instances are there, and how they are, goes its own way."""
        return {app: replace(route, targets=(), state="") for app, route in self.platform.proxy.routes().items()}

    def done_by_people(self) -> list[tuple[str, str, str]]:
        return [event for event in self.events() if event[1] != "wherry"]

    def events(self) -> list[tuple[str, str, str]]:
        with self.platform.outside.database.read() as connection:
            found = events.since(connection, 0, limit=1000)
        return [(event.type, event.actor, event.app or "") for event in found]


@pytest.fixture(scope="module")
def wherry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wherry]:
    home = tmp_path_factory.mktemp("home")
    with machine(home) as platform, real_api(home) as environ:
        platform.push("shop", "a", image="good", web="run")
        apps.create(platform.services, ADMIN, "blog")
        domains.change(platform.services, ADMIN, "blog", ["blog.example.org"], [])
        made = Wherry(platform, environ)
        until(lambda: "blog" in platform.proxy.routes() and "blog.example.org" in made.route("blog").hosts)
        until(lambda: made("apps").status == 0, what="an answer of the API")
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["words"]).encode("ascii", "backslashreplace").decode())
def test_values_that_are_off_are_refused_in_one_line_and_change_nothing(case: dict[str, Any], wherry: Wherry) -> None:
    before = (wherry.front(), wherry.done_by_people())
    ran = run(case["words"], wherry.environ, case.get("stdin", "").encode())
    assert ran.err == case["says"].lstrip("\n") + "\n"
    assert (ran.out, ran.status) == ("", case["exit"])
    assert (wherry.front(), wherry.done_by_people()) == before


def test_domains_come_and_go_and_the_route_follows_without_a_restart(wherry: Wherry) -> None:
    started = list(wherry.platform.engine.started)
    ran = wherry("domains:add shop WWW.example.org *.shop.example.org bücher.example.org")
    hosts = "www.example.org, *.shop.example.org, bücher.example.org (xn--bcher-kva.example.org), shop.localhost"
    assert (ran.out, ran.err, ran.status) == (f"shop answers at {hosts}\n", "", 0)
    assert wherry.route("shop").hosts == ("*.shop.example.org", "shop.localhost", "www.example.org", "xn--bcher-kva.example.org")
    assert wherry.platform.targets("shop") == ["web.1"]
    assert wherry("domains shop").out.splitlines()[1:4:2] == [
        "www.example.org                                 shop  -",
        "bücher.example.org (xn--bcher-kva.example.org)  shop  -",
    ]
    assert wherry("domains:add shop www.example.org").out == "shop has these domains already; nothing to do\n"
    assert wherry("apps:info shop --json").out.count("http://www.example.org") == 1
    wherry("domains:remove shop shop.localhost *.shop.example.org")
    assert wherry.route("shop").hosts == ("www.example.org", "xn--bcher-kva.example.org")
    assert wherry("domains:set shop shop.localhost").out == "shop answers at shop.localhost\n"
    assert wherry.platform.engine.started == started
    assert ("domain.added", "root", "shop") in wherry.events() and ("domain.removed", "root", "shop") in wherry.events()


def test_all_domains_of_the_platform_are_listed(wherry: Wherry) -> None:
    listed = wherry("domains").out
    assert "blog.example.org  blog" in listed and "shop.localhost    shop" in listed


def test_an_app_with_no_domain_left_is_told_the_way_back(wherry: Wherry) -> None:
    ran = wherry("domains:remove shop shop.localhost")
    assert ran.out == "shop answers at no domain now; add one: wherry domains:add shop shop.example.org\n"
    assert wherry.platform.proxy.visit("shop.localhost") == (421, "")
    assert wherry("domains:add shop shop.localhost").out == "shop answers at shop.localhost\n"
    assert wherry.platform.proxy.visit("shop.localhost")[0] == 200


def test_a_new_app_does_not_take_the_domain_of_another_by_its_name(wherry: Wherry) -> None:
    wherry("domains:add blog wiki.localhost")
    ran = wherry("apps:create wiki")
    assert ran.err == "wiki.localhost is a domain of blog\nChoose another name, or: wherry domains:remove blog wiki.localhost\n"
    assert ran.status == 5


def test_https_and_hsts_are_set_and_shown(wherry: Wherry) -> None:
    assert wherry("https shop").out == "visitors of shop are sent to HTTPS where a certificate is\n"
    assert wherry("https shop on --hsts 30 --subdomains yes").out == (
        "visitors of shop are sent to HTTPS always; browsers remember it for 30 days, and for all names below\n"
    )
    assert (wherry.route("shop").secure, wherry.route("shop").hsts) == (("shop.localhost",), "max-age=2592000;includeSubDomains")
    assert wherry("https shop off --hsts 0").out == "visitors of shop are sent nowhere: HTTP stays HTTP\n"
    assert (wherry.route("shop").secure, wherry.route("shop").hsts) == ((), "")
    assert wherry("https shop auto").out == "visitors of shop are sent to HTTPS where a certificate is\n"


def test_an_allow_list_lets_in_some_and_without_entries_everybody(wherry: Wherry) -> None:
    assert wherry("allow shop").out == "shop lets in everybody\n"
    assert wherry("allow:add shop 192.0.2.7 10.0.0.0/8 10.1.0.0/16").out == "shop lets in only 192.0.2.7/32, 10.0.0.0/8, 10.1.0.0/16\n"
    assert wherry.route("shop").door.allow == ("10.0.0.0/8", "192.0.2.7/32")
    assert wherry("allow:add shop 192.0.2.7").out == "shop has that already; nothing to do\n"
    assert wherry("allow shop").out == "192.0.2.7/32\n10.0.0.0/8\n10.1.0.0/16\n"
    assert wherry("allow:remove shop 192.0.2.7 10.0.0.0/8 10.1.0.0/16").out == "shop lets in everybody\n"
    assert wherry.route("shop").door.allow == ()


def test_a_login_has_a_password_of_its_own_or_one_that_is_made(wherry: Wherry) -> None:
    made = wherry("auth:add shop alice")
    assert made.err == "visitors of shop may enter as alice. This password is shown once:\n"
    door = wherry.route("shop").door
    assert door.users == ((credential(door.salt, "alice", made.out.strip()), "alice"),)
    given = wherry("auth:add shop bob --password", b"correct horse\n")
    assert (given.out, given.err) == ("visitors of shop may enter as bob\n", "")
    assert (credential(door.salt, "bob", "correct horse"), "bob") in wherry.route("shop").door.users
    assert wherry("auth shop").out == "alice\nbob\n"
    assert wherry("auth:remove shop alice").out == "alice may no longer enter shop\n"
    assert wherry("auth:remove shop bob").out == "shop asks nobody for a password any more: the last login is gone\n"
    assert wherry.route("shop").door.users == ()


def test_no_password_is_in_the_database_or_an_event(wherry: Wherry) -> None:
    made = wherry("auth:add shop carol").out.strip()
    home = wherry.platform.outside.settings.home
    assert len(made) >= 20
    assert [path for path in (home / "state").iterdir() if made.encode() in path.read_bytes()] == []
    wherry("auth:remove shop carol")


def test_maintenance_begins_with_an_own_page_and_ends(wherry: Wherry) -> None:
    page = "<h1>back at noon ⛵</h1>"
    assert wherry("maintenance shop").out == "shop is not in maintenance\n"
    ran = wherry("maintenance:on shop -", page.encode())
    assert ran.out == "shop is in maintenance: visitors get your own page. End it: wherry maintenance:off shop\n"
    assert wherry.platform.proxy.pages[wherry.route("shop").door.maintenance] == page
    assert wherry.platform.proxy.visit("shop.localhost") == (503, "maintenance")
    assert wherry("maintenance:on shop --plain").out == (
        "shop is in maintenance: visitors get the platform's page. End it: wherry maintenance:off shop\n"
    )
    assert wherry.route("shop").door.maintenance == "plain"
    assert wherry("maintenance:off shop").out == "shop is not in maintenance\n"
    assert wherry.platform.proxy.visit("shop.localhost")[0] == 200
    assert wherry("maintenance:off shop").out == "shop is not in maintenance; nothing to do\n"


def test_a_certificate_is_brought_by_files_by_pipe_and_by_tar(wherry: Wherry, tmp_path: Path) -> None:
    wherry("domains:add shop own.example.org")
    authority = Authority()
    one, two, three = (authority.sign("own.example.org", f"n{number}.example.org") for number in range(3))
    (tmp_path / "cert.pem").write_text(one.certificate + one.chain)
    (tmp_path / "key.pem").write_text(one.key)
    ran = wherry(f"certs:add shop {tmp_path}/cert.pem {tmp_path}/key.pem")
    assert (ran.out, ran.err) == ("shop shows a certificate for own.example.org, n0.example.org that ends in 90 days\n", "")
    assert "n1.example.org" in wherry("certs:add shop", two.bundle.encode()).out
    assert "n2.example.org" in wherry("certs:add shop", tarred(cert=three.certificate, key=three.key)).out
    assert list(wherry.platform.proxy.certificates().values()) != []
    wherry.platform.until(lambda: wherry.route("shop").secure == ("own.example.org",))
    assert wherry("certs shop").out.splitlines()[1].split() == [
        "own.example.org",
        "active",
        "in",
        "90",
        "days",
        "Test",
        "Authority",
    ]
    assert "brought by a person" in wherry("certs:info shop own.example.org").out
    assert "url      https://own.example.org" in wherry("apps:info shop").out
    refused = wherry("certs:renew shop own.example.org")
    assert (refused.err.splitlines()[0], refused.status) == ("own.example.org was brought by a person", 5)
    assert wherry("certs:remove shop own.example.org").out == "the certificate own.example.org is removed\n"
    wherry("domains:remove shop own.example.org")


def test_a_certificate_for_another_s_domain_or_for_none_is_refused(wherry: Wherry) -> None:
    wherry("domains:add shop mine.example.org")
    authority = Authority()
    ran = wherry("certs:add shop", authority.sign("mine.example.org", "blog.example.org").bundle.encode())
    assert ran.err.startswith("the certificate is also for blog.example.org, a domain of blog\n")
    ran = wherry("certs:add shop", authority.sign("else.example.org").bundle.encode())
    assert ran.err == (
        "certificate: the certificate is for else.example.org; shop has no such domain\n".removeprefix("certificate: ")
        + "Add it first: wherry domains:add shop else.example.org\n"
    )
    wherry("domains:remove shop mine.example.org")


def test_a_domain_without_a_certificate_says_why(wherry: Wherry) -> None:
    wherry("domains:add shop shop.example.org")
    rows = {line.split()[0]: line for line in wherry("certs shop").out.splitlines()}
    assert rows["shop.example.org"].endswith("no certificates are ordered here until WHERRY_ACME_EMAIL is set")
    assert rows["shop.localhost"].endswith("a private name, which no public authority signs")
    refused = wherry("certs:renew shop shop.example.org")
    assert (refused.err.splitlines()[0], refused.status) == (
        "shop.example.org: no certificates are ordered here until WHERRY_ACME_EMAIL is set",
        5,
    )
    assert wherry("certs:renew shop shop.localhost").err.startswith("shop.localhost: a private name, which no public authority signs\n")
    assert wherry("certs:auto shop off").out == "automatic certificates of shop are off\n"
    assert wherry("certs:auto shop").out == "automatic certificates of shop are off\n"
    assert wherry("certs:auto shop on").out == "automatic certificates of shop are on\n"
    wherry("domains:remove shop shop.example.org")


def tarred(**files: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{name}.pem")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()
