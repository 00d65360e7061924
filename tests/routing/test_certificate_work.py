"""Certificates ordered from a real authority through a real HAProxy, and those that people bring, checked to the last byte."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from acme_support import Pebble, running_pebble
from certificate_support import Authority, Signed, pem_of
from routing_support import Haproxy, running_haproxy
from wherry import clock
from wherry.errors import InvalidInput, Unavailable
from wherry.routing import certificate_work
from wherry.routing.certificate_work import OrderFailed, Terms


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Haproxy]:
    with running_haproxy(tmp_path_factory.mktemp("acme") / "home") as running:
        running.proxy.start([])
        yield running


@pytest.fixture(scope="module")
def pebble(proxy: Haproxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with running_pebble(tmp_path_factory.mktemp("pebble"), proxy.settings.http_port) as running:
        yield running


class Clerk:
    """Answers the child's questions as the engine does."""

    def __init__(self, proxy: Haproxy) -> None:
        self.proxy = proxy
        self.account: dict[str, str] | None = None
        self.asked: list[str] = []

    def __call__(self, question: dict[str, Any]) -> None:
        self.asked.append(sorted(question)[0])
        if "account" in question:
            self.account = question["account"]
        elif "token" in question:
            self.proxy.proxy.prove(question["token"], question["proof"])
        else:
            raise Unavailable("no DNS here")


def terms(pebble: Pebble, account: dict[str, str] | None = None) -> Terms:
    return Terms(pebble.directory, str(pebble.ca), "me@example.org", account)


def test_a_certificate_is_ordered_and_the_account_is_used_again(pebble: Pebble, proxy: Haproxy) -> None:
    clerk = Clerk(proxy)
    first = certificate_work.order(terms(pebble), "shop.example.org", "http", clerk)
    assert clerk.asked == ["account", "proof"]
    assert first.bundle.facts.names == ("shop.example.org",)
    assert first.bundle.facts.not_before < clock.now() < first.bundle.facts.not_after
    assert first.bundle.facts.issuer.startswith("Pebble Intermediate CA")
    assert certificate_work.inspect(first.bundle.pem).facts == first.bundle.facts
    again = certificate_work.order(terms(pebble, clerk.account), "www.example.org", "http", clerk)
    assert clerk.asked == ["account", "proof", "proof"]
    assert again.bundle.facts.names == ("www.example.org",)
    advises = "renewalInfo" in _directory(pebble)  # Debian 13's does, Debian 12's does not.
    assert (first.renew_at is not None, first.ask_again > clock.now()) == (advises, True)


def test_an_order_that_can_not_be_proven_says_what_the_authority_saw(pebble: Pebble) -> None:
    with pytest.raises(OrderFailed, match=r"gone\.example\.org: .*(404|421|Invalid response|connection)") as raised:
        certificate_work.order(terms(pebble), "gone.example.org", "http", lambda question: None)
    assert raised.value.kind == "unauthorized"


def test_an_order_without_a_way_to_prove_it_says_why(pebble: Pebble, proxy: Haproxy) -> None:
    with pytest.raises(OrderFailed, match="no DNS here"):
        certificate_work.order(terms(pebble), "*.shop.example.org", "dns", Clerk(proxy))


def test_an_authority_that_is_not_there_or_not_trusted_is_named_so(pebble: Pebble, proxy: Haproxy, tmp_path: Path) -> None:
    with pytest.raises(OrderFailed, match=r"^the authority at localhost:9 can not be reached: Connection refused$"):
        certificate_work.order(Terms("https://localhost:9/dir", str(pebble.ca), "me@example.org", None), "a.org", "http", Clerk(proxy))
    other = tmp_path / "other.pem"
    other.write_text(Authority().certificate)
    with pytest.raises(OrderFailed, match=r"shows a certificate that is not trusted here \(WHERRY_ACME_CA"):
        certificate_work.order(Terms(pebble.directory, str(other), "me@example.org", None), "a.org", "http", Clerk(proxy))


class _Advisor(BaseHTTPRequestHandler):
    """Pebble's directory with renewal information of our own (RFC 9773)."""

    directory: dict[str, Any]
    window: dict[str, str]

    def do_GET(self) -> None:
        body = json.dumps({"suggestedWindow": self.window} if self.path.startswith("/ari/") else self.directory).encode()
        self.send_response(200)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Retry-After", "21600")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        return


class _Broken(_Advisor):
    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()


def test_an_authority_that_is_out_of_order_is_told_by_its_answer(pebble: Pebble, proxy: Haproxy) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Broken) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            terms = Terms(f"http://127.0.0.1:{server.server_port}/dir", "", "me@example.org", None)
            with pytest.raises(OrderFailed, match=rf"^the authority at 127\.0\.0\.1:{server.server_port} answered 503$"):
                certificate_work.order(terms, "a.org", "http", Clerk(proxy))
        finally:
            server.shutdown()
            thread.join()


def _directory(pebble: Pebble) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=str(pebble.ca))
    with urllib.request.urlopen(pebble.directory, context=context) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_the_authority_s_advice_on_renewal_is_heard(pebble: Pebble, proxy: Haproxy) -> None:
    directory = _directory(pebble)
    window = {"start": "2031-02-03T04:05:06Z", "end": "2031-02-03T04:05:07Z"}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Advisor", (_Advisor,), {"window": window})) as server:
        here = f"http://127.0.0.1:{server.server_port}"
        server.RequestHandlerClass.directory = {**directory, "renewalInfo": f"{here}/ari"}  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asked = Terms(f"{here}/dir", str(pebble.ca), "me@example.org", None)
        ordered = certificate_work.order(asked, "advised.example.org", "http", Clerk(proxy))
        again, ask_again = certificate_work.renewal(asked, ordered.bundle.pem)
        server.shutdown()
    assert ordered.renew_at is not None and ordered.renew_at.startswith("2031-02-03T04:05:0")
    assert again is not None and again.startswith("2031-02-03T04:05:0")
    assert 5.9 < (clock.parse(ask_again) - clock.parse(clock.now())).total_seconds() / 3600 < 6.1


# What people bring


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def good(authority: Authority) -> Signed:
    return authority.sign("Shop.example.org", "*.shop.example.org")


def test_certificate_chain_and_key_are_taken_in_any_order(authority: Authority, good: Signed) -> None:
    other = Authority("Someone else").certificate
    for bundle in (good.bundle, good.key + good.certificate, "junk\r\n" + other + good.key.replace("\n", "\r\n") + good.certificate):
        found = certificate_work.inspect(bundle)
        assert found.facts.names == ("shop.example.org", "*.shop.example.org")
        assert found.facts.issuer == "Test Authority"
        assert x509.load_pem_x509_certificates(found.pem.encode()) == [x509.load_pem_x509_certificate(good.certificate.encode())]
        assert "\n\n" not in found.pem and "\r" not in found.pem and "junk" not in found.pem


def bundles(authority: Authority, good: Signed) -> dict[str, str]:
    stranger = pem_of(ec.generate_private_key(ec.SECP256R1()))
    secret = pem_of(ec.generate_private_key(ec.SECP256R1()), b"passphrase")
    weak = rsa.generate_private_key(65537, 1024)
    return {
        "no private key in it": good.certificate,
        "no certificate in it": good.key,
        "2 private keys in it": good.bundle + stranger,
        "does not belong to the certificate": good.certificate + stranger,
        "has a passphrase": good.certificate + secret,
        "the private key can not be read": good.certificate + "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n",
        "a certificate in it can not be read": good.key + "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n",
        "expired on ": authority.sign("a.org", start=-9, days=-1).bundle,
        "is valid from ": authority.sign("a.org", start=1).bundle,
        "of a kind that browsers refuse": authority.sign("a.org", key=weak).bundle,  # type: ignore[arg-type]
        "up to 15000 are taken": authority.sign(*(f"host-number-{number}.example.org" for number in range(600))).bundle,
    }


def test_what_is_wrong_with_a_bundle_is_said_with_the_way_out(authority: Authority, good: Signed) -> None:
    for reason, bundle in bundles(authority, good).items():
        with pytest.raises(InvalidInput, match=reason) as raised:
            certificate_work.inspect(bundle)
        assert raised.value.code == "bad_certificate"
        assert raised.value.hint and raised.value.message.isprintable()
        assert "PRIVATE KEY-----" not in str(raised.value).replace("-----BEGIN PRIVATE KEY-----", "")
    for nothing in ("", "not a certificate", "-----BEGIN CERTIFICATE-----", "\0"):
        with pytest.raises(InvalidInput):
            certificate_work.inspect(nothing)
