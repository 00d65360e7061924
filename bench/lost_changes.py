"""Whether a visitor notices what a person changes, or that a part of the platform is started anew: everything in turn."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from figure import Check, Figure, Row
from place import Place

from acme_support import running_pebble
from certificate_support import Authority
from scenario_support import Repository, Site, tiny_app
from waiting import until

CONNECTIONS, SECURE = 40, 10
ENOUGH = 100_000
ROUNDS = 10
PAUSE = 0.5
DOMAIN, OTHER, OWN = "busy.example.org", "also.example.org", "own.example.org"
"""The visitors' domain, whose certificates the platform orders; one that comes and goes; one whose certificates a person brings."""
APP = "changing"
PARTS = ("engine", "api", "receiver")


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    took: dict[str, list[float]] = {}
    with place.app(APP) as repository:
        place.release(repository, tiny_app(1))
        site, authority = place.site, Authority()
        with (
            _certified(place, authority),
            site.visitors(APP, CONNECTIONS) as plain,
            site.visitors(APP, SECURE, secure_host=DOMAIN) as secure,
        ):
            for number in range(rounds):
                place.say(f"lost requests: changes, round {number + 1} of {rounds} …")
                _round(place, repository, number, authority, took)
    return _figure(plain, secure, took, rounds)


def _round(place: Place, repository: Repository, number: int, authority: Authority, took: dict[str, list[float]]) -> None:
    _deploy(repository, number + 2, took)
    _do(place, ("ps:scale", APP, "web=2"), took)
    _do(place, ("config:set", APP, f"COLOUR=shade{number}"), took)
    for part in PARTS:
        _end(place.site, part)
    _do(place, ("ps:scale", APP, "web=1"), took)
    _do(place, ("ps:restart", APP), took)
    _do(place, ("domains:add", APP, OTHER), took)
    _renew(place, took)
    _certify(place, authority, took)
    _do(place, ("domains:remove", APP, OTHER), took)
    _do(place, ("rollback", APP), took)


def _deploy(repository: Repository, version: int, took: dict[str, list[float]]) -> None:
    began = time.monotonic()
    pushed = repository.release(version)
    assert pushed.status == 0, pushed.text
    took.setdefault("git push", []).append(time.monotonic() - began)
    time.sleep(PAUSE)


def _end(site: Site, part: str) -> None:
    """Ends a part of the platform, which its supervisor then starts anew."""
    before = site.pid(part)
    os.kill(before, signal.SIGTERM)
    until(lambda: site.runs_anew(part, before), what=f"a new {part}")
    time.sleep(PAUSE)


@contextmanager
def _certified(place: Place, authority: Authority) -> Iterator[None]:
    """While the block runs, a certificate authority (pebble) is there, and both lasting domains have certificates."""
    with running_pebble(place.folder / "pebble", place.site.http_port) as pebble:
        set_up = place.site.up(ACME_EMAIL="me@example.org", ACME_DIRECTORY=pebble.directory, ACME_CA=str(pebble.ca))
        assert set_up.status == 0, set_up.text
        _do(place, ("domains:add", APP, DOMAIN, OWN), {})
        until(lambda: _certificate(place)["state"] == "active", what=f"a certificate for {DOMAIN}")
        _certify(place, authority, {})
        yield
    place.site.up(ACME_EMAIL="")


def _certificate(place: Place) -> dict[str, Any]:
    rows = place.site.json("certs", APP)["certificates"]
    found: dict[str, Any] = next(row for row in rows if row["name"] == DOMAIN)
    return found


def _renew(place: Place, took: dict[str, list[float]]) -> None:
    """Until the proxy serves the new one, whose proof over HTTP came by the proxy as well."""
    before, began = _certificate(place)["fingerprint"], time.monotonic()
    _do(place, ("certs:renew", APP, DOMAIN), {})
    until(lambda: _certificate(place)["fingerprint"] != before, what="a renewed certificate")
    took.setdefault("wherry certs:renew until the new one is served", []).append(time.monotonic() - began)


def _certify(place: Place, authority: Authority, took: dict[str, list[float]]) -> None:
    """The first time it comes, after that it is replaced."""
    signed = authority.sign(OWN)
    folder = place.folder / "certificates"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chain.pem").write_text(signed.certificate + signed.chain)
    (folder / "key.pem").write_text(signed.key)
    _do(place, ("certs:add", APP, str(folder / "chain.pem"), str(folder / "key.pem")), took)


def _do(place: Place, words: tuple[str, ...], took: dict[str, list[float]]) -> None:
    began = time.monotonic()
    done = place.site.wherry(*words)
    assert done.status == 0, done.text
    took.setdefault(f"wherry {words[0]}", []).append(time.monotonic() - began)
    time.sleep(PAUSE)


def _figure(plain: dict[str, Any], secure: dict[str, Any], took: dict[str, list[float]], rounds: int) -> Figure:
    def total(name: str) -> int:
        return plain[name] + secure[name]

    rows = [Row(name, tuple(values), "s") for name, values in took.items()]
    return Figure(
        "changes",
        "Lost requests: changes",
        f"{rounds} rounds of a deploy, scaling up and down, a config change, an end of the engine, the API and the receiver, a rolling"
        " restart, a domain added and removed, a certificate renewed by ACME (pebble), a person's own replaced, and a rollback, under"
        f" {CONNECTIONS} keep-alive connections by HTTP and {SECURE} by HTTPS that ask without a pause and never retry.",
        (
            Check("requests lost", total("lost"), "", 0),
            Check("requests answered", total("answered"), "", ENOUGH, at_least=True),
        ),
        (
            *rows,
            Row("requests answered by HTTPS", (secure["answered"],), ""),
            Row("slowest answer", (max(plain["slowest"], secure["slowest"]),), "s"),
        ),
        (*plain["reasons"], *secure["reasons"]),
    )
