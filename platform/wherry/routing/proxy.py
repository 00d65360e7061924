"""What the platform asks of a reverse proxy, in its own words; `haproxy_proxy` makes it true.

A route says which hosts belong to an app and which instances answer for it. Nothing here blocks longer than the
proxy takes to acknowledge (milliseconds).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

STATES = ("serving", "starting", "held", "no-web", "stopped", "empty")
"""Why a known host has no instance: it boots, it is between two that may not run together, it is scaled to web=0, it was
stopped, nothing was deployed yet."""


@dataclass(frozen=True)
class Target:
    """One instance that takes requests. `name` is unique among all containers ever made, e.g. `web.1-3f2c1ab09d3e`."""

    name: str
    address: str
    port: int


@dataclass(frozen=True)
class Door:
    """Who gets in, and what visitors meet instead of the app.

    `allow` are networks (`192.0.2.0/24`), none of which lies in another; none at all lets everybody in. `users` pairs
    `credential(salt, name, password)` with the name, sorted; without users there is no `salt` and nobody is asked.
    `maintenance` is empty, `plain` for our own page, or the digest of a page that `keep_page` was told.
    """

    allow: tuple[str, ...] = ()
    salt: str = ""
    users: tuple[tuple[str, str], ...] = ()
    maintenance: str = ""


@dataclass(frozen=True)
class Route:
    """`hosts` are normalised names (IDNA, lower case, no trailing dot, no port) and wildcards for one label, sorted; an
    exact name wins. Without a target, requests are answered by a page that tells the state; in the state `held` they wait
    first, their bodies unread, until a target or another state is published, but WHERRY_HOLD_TIMEOUT at the most.
    Requests for those in `secure` are sent to HTTPS, whose answers carry `hsts` when it is not empty."""

    app: str
    hosts: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    state: str = "serving"
    secure: tuple[str, ...] = ()
    hsts: str = ""
    door: Door = Door()


def credential(salt: str, user: str, password: str) -> str:
    """What is kept of a password: SHA-256, because the proxy works it out for every request."""
    return hashlib.sha256(f"{salt}:{user}:{password}".encode()).hexdigest().upper()


class Proxy(Protocol):
    """Promises of every proxy. Each method raises Unavailable when the proxy does not answer."""

    def start(self, routes: Iterable[Route]) -> None:
        """Makes `routes` all there is, whatever was before. Called once when the engine starts."""

    def publish(self, route: Route) -> None:
        """Makes `route` the app's route; returns when the proxy has acknowledged it. Idempotent, and atomic for new
        requests: when no target of the present route stays, all new requests go to the new targets from one moment
        on; otherwise targets are added and taken out one by one. A target that leaves finishes its requests."""

    def face(self, route: Route) -> None:
        """Gives the app's route the front (hosts, HTTPS, door) of `route`, and nothing else of it; at once, also while the
        app's instances are being changed. An app that is not published is left alone."""

    def withdraw(self, app: str) -> None:
        """Forgets the app: its hosts answer 421 from now on, all its targets are released. Absent apps are fine."""

    def in_flight(self, app: str) -> dict[str, int]:
        """Requests under way per target name, including targets that left the route and were not released yet."""

    def answers(self, app: str) -> dict[str, tuple[int, int]]:
        """Of each target that takes the app's new requests: the answers that it gave since the proxy knows it, and how many of
        them were 5xx or broke off. A proxy that was started anew counts from zero; what it says itself is not counted."""

    def release(self, app: str, target: str) -> None:
        """Cuts what is left of a target that is no longer in the route and forgets it. Absent targets are fine."""

    def routes(self) -> dict[str, Route]:
        """What is published now, by app, as read from the proxy itself."""

    def keep_page(self, digest: str, html: str) -> None:
        """Makes a maintenance page known by its digest, for the routes that name it. Idempotent. Pages that no route
        names any more are forgotten with the next change; a route whose page is not there shows the plain one."""

    def certificates(self) -> dict[str, str]:
        """The certificates that HTTPS is served with, by name, each with the SHA-1 of the certificate in upper-case hex."""

    def put_certificate(self, name: str, pem: str) -> None:
        """Serves HTTPS with `pem` (certificate, chain, key) from the next connection on, and after every restart. Replaces
        the one of that name, losing no request. `name` is made of letters, digits, ".", "_" and "-"."""

    def certificate(self, name: str) -> str:
        """The PEM of a certificate and its chain, without the key; empty when there is none."""

    def drop_certificate(self, name: str) -> None:
        """Serves with it no longer and removes its file. An absent one is fine."""

    def prove(self, token: str, proof: str) -> None:
        """Answers `/.well-known/acme-challenge/<token>` with `proof`, on every host, before anything else."""

    def unprove(self, token: str) -> None:
        """Forgets a token. An absent one is fine."""
