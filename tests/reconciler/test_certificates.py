"""From a domain to HTTPS: a real authority (pebble), a real HAProxy, the engine's own loop. No certificate is ever made up."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from acme_support import Pebble, running_pebble
from certificate_support import Authority, names_in, served_certificate
from platform_support import ADMIN, Machine, machine
from routing_support import Haproxy, get, settings_in
from wherry import clock
from wherry.model.certificate import Certificate
from wherry.routing import haproxy_config
from wherry.routing.certificates import ensure_fallback_certificate
from wherry.services import apps, certificates, domains
from wherry.store import certificates as rows
from wherry.store import events


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Haproxy]:
    settings = settings_in(tmp_path_factory.mktemp("tls") / "home")
    ensure_fallback_certificate(settings.proxy / "certificates", "localhost")
    haproxy_config.prepare(settings)
    running = Haproxy(settings)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def pebble(proxy: Haproxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with running_pebble(tmp_path_factory.mktemp("pebble"), proxy.settings.http_port) as running:
        yield running


@pytest.fixture
def here(proxy: Haproxy, pebble: Pebble, tmp_path: Path) -> Iterator[Machine]:
    words = {"EMAIL": "me@example.org", "DIRECTORY": pebble.directory, "CA": str(pebble.ca), "DNS_HOOK": str(pebble.hook)}
    acme = {f"WHERRY_ACME_{key}": value for key, value in words.items()}
    with machine(tmp_path, proxy=proxy.proxy, WHERRY_HTTPS_PORT=str(proxy.settings.https_port), **acme) as made:  # type: ignore[arg-type]
        apps.create(made.services, ADMIN, "shop")
        yield made


def certificate(here: Machine, name: str) -> Certificate | None:
    with here.outside.database.read() as connection:
        return next((row for row in rows.every(connection, "shop") if row.name == name), None)


def active(here: Machine, name: str) -> Certificate | None:
    found = certificate(here, name)
    return found if found and found.state == "active" and found.facts else None


def told(here: Machine, kind: str) -> list[dict[str, object]]:
    with here.outside.database.read() as connection:
        return [event.data for event in events.since(connection, 0, limit=500) if event.type == kind]


def shown(proxy: Haproxy, host: str) -> list[str]:
    return names_in(served_certificate(proxy.settings.https_port, host))


def test_a_domain_gets_its_certificate_and_its_visitors_go_to_https(here: Machine, proxy: Haproxy) -> None:
    faced = domains.change(here.services, ADMIN, "shop", ["shop.example.org"], [])
    assert faced.live
    assert get(proxy.settings.http_port, "shop.example.org").status in (503, 301), "without instances, or its certificate is there already"
    here.until(lambda: active(here, "shop.example.org"))
    assert shown(proxy, "shop.example.org") == ["shop.example.org"]
    here.until(lambda: get(proxy.settings.http_port, "shop.example.org").status == 301)
    assert get(proxy.settings.http_port, "shop.localhost").status == 503
    (issued,) = told(here, "certificate.issued")
    assert issued["certificate"] == "shop.example.org"
    row = active(here, "shop.example.org")
    assert row and row.facts and clock.now() < row.renew_at < row.facts.not_after


def test_the_account_is_root_s_alone_and_used_again(here: Machine) -> None:
    domains.change(here.services, ADMIN, "shop", ["one.example.org", "two.example.org"], [])
    here.until(lambda: active(here, "one.example.org") and active(here, "two.example.org"))
    folder = here.outside.settings.acme
    (account,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, account.stat().st_mode & 0o777) == (0o700, 0o600)
    assert json.loads(account.read_text())["uri"].startswith("https://")


def test_a_wildcard_is_proven_by_the_owner_s_program(here: Machine, proxy: Haproxy, pebble: Pebble) -> None:
    domains.change(here.services, ADMIN, "shop", ["*.wild.example.org"], [])
    here.until(lambda: active(here, "*.wild.example.org"))
    assert shown(proxy, "any.wild.example.org") == ["*.wild.example.org"]
    here.until(lambda: pebble.hook_log.read_text().count("_acme-challenge.wild.example.org") == 2)
    assert [line.split()[0] for line in pebble.hook_log.read_text().splitlines()] == ["present", "cleanup"]


def test_a_failure_is_told_once_and_tried_again_later_or_when_asked(here: Machine, pebble: Pebble) -> None:
    pebble.dns("set-servfail", host="dark.example.org")
    domains.change(here.services, ADMIN, "shop", ["dark.example.org"], [])
    here.until(lambda: (row := certificate(here, "dark.example.org")) and row.attempts == 1)
    row = certificate(here, "dark.example.org")
    assert row and row.state == "pending" and row.error.startswith("dark.example.org: ") and row.next_try > clock.now()
    assert certificates.renew(here.services, ADMIN, "shop", "dark.example.org").attempts == 0
    here.until(lambda: (row := certificate(here, "dark.example.org")) and row.attempts == 1)
    pebble.dns("clear-servfail", host="dark.example.org")
    certificates.renew(here.services, ADMIN, "shop", "dark.example.org")
    here.until(lambda: active(here, "dark.example.org"))
    assert len(told(here, "certificate.failed")) == 1


def test_a_certificate_is_renewed_when_its_time_has_come(here: Machine, proxy: Haproxy) -> None:
    domains.change(here.services, ADMIN, "shop", ["old.example.org"], [])
    here.until(lambda: active(here, "old.example.org"))
    before = served_certificate(proxy.settings.https_port, "old.example.org")
    row = active(here, "old.example.org")
    assert row
    with here.outside.database.write() as connection:
        rows.change(connection, row.id, renew_at=clock.now(), next_try=clock.now())
    here.services.wake()
    here.until(lambda: told(here, "certificate.renewed"))
    after = served_certificate(proxy.settings.https_port, "old.example.org")
    assert after != before
    assert names_in(after) == ["old.example.org"]


def test_a_removed_domain_takes_its_certificate_along(here: Machine, proxy: Haproxy) -> None:
    domains.change(here.services, ADMIN, "shop", ["brief.example.org"], [])
    here.until(lambda: active(here, "brief.example.org"))
    domains.change(here.services, ADMIN, "shop", [], ["brief.example.org"])
    here.until(lambda: certificate(here, "brief.example.org") is None)
    here.until(lambda: shown(proxy, "brief.example.org") == ["localhost", "*.localhost"])
    assert get(proxy.settings.http_port, "brief.example.org").status == 421


def test_a_person_s_own_takes_over_at_once_and_the_automatic_one_comes_back_after_it(here: Machine, proxy: Haproxy) -> None:
    domains.change(here.services, ADMIN, "shop", ["own.example.org"], [])
    here.until(lambda: active(here, "own.example.org"))
    brought, live = certificates.add(here.services, ADMIN, "shop", Authority().sign("own.example.org", "*.example.org").bundle)
    assert (brought.origin, brought.state, live) == ("own", "active", True)
    assert shown(proxy, "own.example.org") == ["own.example.org", "*.example.org"]
    assert list(here.outside.settings.spool.iterdir()) == []
    certificates.remove(here.services, ADMIN, "shop", "own.example.org")
    here.until(lambda: shown(proxy, "own.example.org") == ["own.example.org"])


def test_the_certificates_of_a_destroyed_app_leave_no_file(here: Machine, proxy: Haproxy) -> None:
    domains.change(here.services, ADMIN, "shop", ["last.example.org"], [])
    here.until(lambda: active(here, "last.example.org"))
    here.wait(apps.destroy(here.services, ADMIN, "shop", "shop"))
    here.until(lambda: [path.name for path in (proxy.settings.proxy / "certificates").iterdir()] == ["00-fallback.pem"])


def test_a_dns_hook_that_hangs_holds_up_no_domain_that_needs_none(proxy: Haproxy, pebble: Pebble, tmp_path: Path) -> None:
    hook, called, free = tmp_path / "hook", tmp_path / "called", tmp_path / "free"
    hook.write_text(f"#!/bin/sh\ntouch {called}\nuntil [ -e {free} ]; do sleep 0.1; done\necho no such zone\nexit 4\n")
    hook.chmod(0o755)
    words = {"EMAIL": "me@example.org", "DIRECTORY": pebble.directory, "CA": str(pebble.ca), "DNS_HOOK": str(hook)}
    acme = {f"WHERRY_ACME_{key}": value for key, value in words.items()}
    with machine(tmp_path, proxy=proxy.proxy, **acme) as made:  # type: ignore[arg-type]
        apps.create(made.services, ADMIN, "shop")
        domains.change(made.services, ADMIN, "shop", ["*.stuck.example.org"], [])
        made.until(called.exists)
        domains.change(made.services, ADMIN, "shop", ["beside.example.org"], [])
        made.until(lambda: active(made, "beside.example.org"))
        stuck = certificate(made, "*.stuck.example.org")
        assert stuck and (stuck.state, stuck.attempts, stuck.error) == ("pending", 0, "")
        free.touch()
        made.until(lambda: (row := certificate(made, "*.stuck.example.org")) and row.attempts)
        row = certificate(made, "*.stuck.example.org")
        assert row and row.error.endswith("exited with 4: no such zone")
        hook.unlink()
        certificates.renew(made.services, ADMIN, "shop", "*.stuck.example.org")
        missing = f"the DNS hook {hook} (WHERRY_ACME_DNS_HOOK) is not there"
        made.until(lambda: (row := certificate(made, "*.stuck.example.org")) and row.error == missing)


class Limited(BaseHTTPRequestHandler):
    """An authority that has had enough."""

    def do_GET(self) -> None:
        body = b'{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many new orders", "status": 429}'
        self.send_response(429)
        for name, value in (("Content-Type", "application/problem+json"), ("Content-Length", str(len(body))), ("Retry-After", "7200")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def limited(folder: Path) -> Iterator[dict[str, str]]:
    """The settings for it."""
    signer = Authority("Limited")
    signed = signer.sign("localhost")
    (folder / "ca.pem").write_text(signer.certificate)
    (folder / "server.pem").write_text(signed.certificate + signed.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), Limited) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"https://localhost:{server.server_port}/dir"
            yield {"WHERRY_ACME_EMAIL": "me@example.org", "WHERRY_ACME_DIRECTORY": url, "WHERRY_ACME_CA": str(folder / "ca.pem")}
        finally:
            server.shutdown()
            thread.join()


def test_orders_that_wait_for_an_authority_that_had_too_many_say_so(proxy: Haproxy, tmp_path: Path) -> None:
    (tmp_path / "authority").mkdir()
    with limited(tmp_path / "authority") as acme, machine(tmp_path, proxy=proxy.proxy, **acme) as made:  # type: ignore[arg-type]
        apps.create(made.services, ADMIN, "shop")
        domains.change(made.services, ADMIN, "shop", ["first.example.org"], [])
        made.until(lambda: (row := certificate(made, "first.example.org")) and row.error == "too many new orders")
        domains.change(made.services, ADMIN, "shop", ["second.example.org"], [])
        made.until(lambda: (row := certificate(made, "second.example.org")) and row.error)
        second = certificate(made, "second.example.org")
        assert second and (second.error, second.attempts) == ("it waits, because the authority had too many orders", 0)
        assert (clock.parse(second.next_try) - clock.parse(clock.now())).total_seconds() > 3600
        certificates.renew(made.services, ADMIN, "shop", "second.example.org")
        made.until(lambda: (row := certificate(made, "second.example.org")) and row.next_try == second.next_try)


def test_an_engine_that_died_in_between_finds_its_way(proxy: Haproxy, tmp_path: Path) -> None:
    signed = Authority().sign("late.example.org")
    with machine(tmp_path, proxy=proxy.proxy) as first:  # type: ignore[arg-type]
        apps.create(first.services, ADMIN, "shop")
        domains.change(first.services, ADMIN, "shop", ["late.example.org"], [])
    row, live = certificates.add(first.services, ADMIN, "shop", signed.bundle)
    assert (row.state, live) == ("pending", False)
    with machine(tmp_path, proxy=proxy.proxy) as second:  # type: ignore[arg-type]
        second.until(lambda: active(second, "late.example.org"))
        assert shown(proxy, "late.example.org") == ["late.example.org"]
