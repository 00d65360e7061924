"""HTTPS with the right certificate for each host, changed under visitors' hands without losing one of them."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from certificate_support import Authority, names_in, served_certificate
from routing_support import Haproxy, Upstream, get, settings_in
from waiting import until
from wherry.errors import InvalidInput, Unavailable
from wherry.routing import haproxy_config
from wherry.routing.certificates import ensure_fallback_certificate
from wherry.routing.haproxy_proxy import HaproxyProxy
from wherry.routing.proxy import Route

HOST = "shop.example.org"
Instance = Callable[[str], Upstream]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Haproxy]:
    """A HAProxy with HTTPS, as the engine starts it."""
    settings = settings_in(tmp_path / "home")
    ensure_fallback_certificate(settings.proxy / "certificates", "example.org")
    haproxy_config.prepare(settings)
    haproxy = Haproxy(settings)
    try:
        haproxy.proxy.start([])
        yield haproxy
    finally:
        haproxy.stop()


def shown(haproxy: Haproxy, host: str = HOST) -> list[str]:
    return names_in(served_certificate(haproxy.settings.https_port, host))


def test_a_new_certificate_is_shown_from_the_next_connection_on(secure: Haproxy, authority: Authority) -> None:
    assert shown(secure) == ["example.org", "*.example.org"]
    worker = secure.worker()
    secure.proxy.put_certificate("shop", authority.sign(HOST, "www.example.org").bundle)
    assert shown(secure) == shown(secure, "www.example.org") == [HOST, "www.example.org"]
    assert shown(secure, "other.example.org") == ["example.org", "*.example.org"]
    assert secure.worker() == worker


def test_a_certificate_takes_the_place_of_the_one_before(secure: Haproxy, authority: Authority) -> None:
    for signed in (authority.sign(HOST), authority.sign(HOST, "a.example.net")):
        secure.proxy.put_certificate("shop", signed.bundle)
    assert shown(secure) == [HOST, "a.example.net"]
    assert list(secure.proxy.certificates()) == ["shop"]


def test_a_wildcard_certificate_is_for_one_label_and_an_exact_one_wins(secure: Haproxy, authority: Authority) -> None:
    secure.proxy.put_certificate("wild", authority.sign("*.shop.example.net").bundle)
    secure.proxy.put_certificate("exact", authority.sign("a.shop.example.net").bundle)
    assert shown(secure, "b.shop.example.net") == ["*.shop.example.net"]
    assert shown(secure, "a.shop.example.net") == ["a.shop.example.net"]
    assert shown(secure, "a.b.shop.example.net") == ["example.org", "*.example.org"]


def test_certificates_outlive_haproxy_and_only_root_reads_them(secure: Haproxy, authority: Authority) -> None:
    secure.proxy.put_certificate("shop", authority.sign(HOST).bundle)
    before = secure.proxy.certificates()
    secure.kill()
    secure.start()
    assert shown(secure) == [HOST]
    assert secure.proxy.certificates() == before
    folder = secure.settings.proxy / "certificates"
    assert (folder.stat().st_mode & 0o777, (folder / "shop.pem").stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_dropped_certificate_is_gone_for_good(secure: Haproxy, authority: Authority) -> None:
    secure.proxy.put_certificate("shop", authority.sign(HOST).bundle)
    secure.proxy.drop_certificate("shop")
    secure.proxy.drop_certificate("never-there")
    assert shown(secure) == ["example.org", "*.example.org"]
    assert secure.proxy.certificates() == {}
    assert [path.name for path in (secure.settings.proxy / "certificates").iterdir()] == ["00-fallback.pem"]


def test_what_haproxy_can_not_use_changes_nothing(secure: Haproxy, authority: Authority) -> None:
    good = authority.sign(HOST)
    secure.proxy.put_certificate("shop", good.bundle)
    with pytest.raises(Unavailable):
        secure.proxy.put_certificate("shop", good.certificate + authority.sign(HOST).key)
    assert names_in(served_certificate(secure.settings.https_port, HOST)) == [HOST]
    for name in ("../shop", "Shop", "", "a b", "00-fallback\n"):
        with pytest.raises(InvalidInput):
            secure.proxy.put_certificate(name, good.bundle)


@contextmanager
def visitors(port: int, count: int) -> Iterator[list[int | str]]:
    """Keep-alive visitors over HTTPS who never retry; each answer's status or what went wrong ends up in the list."""
    answers: list[int | str] = []
    stop = threading.Event()
    threads = [threading.Thread(target=_visit, args=(port, answers, stop)) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _visit(port: int, answers: list[int | str], stop: threading.Event) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=_trusting())
    turn = 0
    while not stop.is_set():
        turn += 1
        try:
            connection.request("GET", "/", headers={"Host": HOST})
            answer = connection.getresponse()
            answer.read()
            answers.append(answer.status)
        except (OSError, http.client.HTTPException) as error:
            answers.append(repr(error))
            connection.close()
        if turn % 20 == 0:
            connection.close()
    connection.close()


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_twenty_renewals_and_domain_changes_under_load_lose_nothing(secure: Haproxy, authority: Authority, instance: Instance) -> None:
    target = instance("web.1-a").target
    secure.proxy.publish(Route("shop", (HOST,), (target,)))
    with visitors(secure.settings.https_port, 6) as answers:
        for turn in range(20):
            secure.proxy.put_certificate("shop", authority.sign(HOST, f"n{turn}.example.org").bundle)
            hosts = tuple(sorted((HOST, f"n{turn}.example.org", "*.n.example.org")))
            secure.proxy.publish(Route("shop", hosts, (target,), secure=hosts, hsts="max-age=60"))
            time.sleep(0.02)
        until(lambda: len(answers) > 500)
    assert set(answers) == {200}


def test_answers_over_https_carry_hsts_and_those_over_http_do_not(secure: Haproxy, instance: Instance) -> None:
    target = instance("web.1-a").target
    secure.proxy.publish(Route("shop", (HOST,), (target,), secure=(HOST,), hsts="max-age=600;includeSubDomains"))
    connection = http.client.HTTPSConnection("127.0.0.1", secure.settings.https_port, timeout=5, context=_trusting())
    connection.request("GET", "/", headers={"Host": HOST})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Strict-Transport-Security")) == (200, "max-age=600;includeSubDomains")
    connection.close()
    plain = get(secure.settings.http_port, HOST)
    assert (plain.status, "strict-transport-security" in plain.headers) == (301, False)


def test_a_challenge_is_answered_on_every_host_before_anything_else(secure: Haproxy, instance: Instance) -> None:
    port, path = secure.settings.http_port, "/.well-known/acme-challenge/tok-en_1"
    secure.proxy.publish(Route("shop", (HOST,), (instance("web.1-a").target,), secure=(HOST,)))
    secure.proxy.prove("tok-en_1", "tok-en_1.print")
    for host in (HOST, "unknown.example.org"):
        answer = get(port, host, path)
        assert (answer.status, answer.text, answer.headers["content-type"]) == (200, "tok-en_1.print", "text/plain")
    secure.proxy.unprove("tok-en_1")
    secure.proxy.unprove("tok-en_1")
    assert get(port, HOST, path).status == 301
    assert get(port, "unknown.example.org", path).status == 421


def test_what_is_no_challenge_never_reaches_the_proxy(tmp_path: Path) -> None:
    proxy = HaproxyProxy(settings_in(tmp_path))
    for token, proof in (("a b", "c"), ("a\nb", "c"), ("a", "c;d"), ("", "c")):
        with pytest.raises(InvalidInput):
            proxy.prove(token, proof)
