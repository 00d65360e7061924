"""Whether a visitor notices what a person changes between two deploys: config, restarts, domains, certificates, rollbacks."""

from __future__ import annotations

import time
from typing import Any

from figure import Check, Figure, Row
from place import Place

from certificate_support import Authority
from scenario_support import tiny_app

CONNECTIONS, SECURE = 40, 10
ENOUGH = 50_000
ROUNDS = 10
PAUSE = 0.5
DOMAIN, OTHER = "busy.example.org", "also.example.org"
APP = "changing"


def measure(place: Place, rounds: int = ROUNDS) -> Figure:
    took: dict[str, list[float]] = {}
    with place.app(APP) as repository:
        place.release(repository, tiny_app(1))
        site, authority = place.site, Authority()
        _do(place, ("domains:add", APP, DOMAIN), took={})
        _certify(place, authority, {})
        with site.visitors(APP, CONNECTIONS) as plain, site.visitors(APP, SECURE, secure_host=DOMAIN) as secure:
            for number in range(rounds):
                place.say(f"lost requests: changes, round {number + 1} of {rounds} …")
                _round(place, number, authority, took)
    return _figure(plain, secure, took, rounds)


def _round(place: Place, number: int, authority: Authority, took: dict[str, list[float]]) -> None:
    _do(place, ("config:set", APP, f"COLOUR=shade{number}"), took)
    _do(place, ("ps:restart", APP), took)
    _do(place, ("domains:add", APP, OTHER), took)
    _certify(place, authority, took)
    _do(place, ("domains:remove", APP, OTHER), took)
    _do(place, ("rollback", APP), took)


def _certify(place: Place, authority: Authority, took: dict[str, list[float]]) -> None:
    """The first time it comes, after that it is renewed."""
    signed = authority.sign(DOMAIN)
    folder = place.folder / "certificates"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chain.pem").write_text(signed.certificate + signed.chain)
    (folder / "key.pem").write_text(signed.key)
    _do(place, ("certs:add", APP, str(folder / "chain.pem"), str(folder / "key.pem")), took)


def _do(place: Place, words: tuple[str, ...], took: dict[str, list[float]]) -> None:
    began = time.monotonic()
    done = place.site.wherry(*words)
    assert done.status == 0, done.text
    took.setdefault(words[0], []).append(time.monotonic() - began)
    time.sleep(PAUSE)


def _figure(plain: dict[str, Any], secure: dict[str, Any], took: dict[str, list[float]], rounds: int) -> Figure:
    def total(name: str) -> int:
        return plain[name] + secure[name]

    rows = [Row(f"wherry {name}", tuple(values), "s") for name, values in took.items()]
    return Figure(
        "changes",
        "Lost requests: changes",
        f"{rounds} rounds of a config change, a rolling restart, a domain added and removed, a certificate renewed, and a rollback, under"
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
