"""What the platform asks of a reverse proxy, in its own words; `haproxy_proxy` makes it true.

A route says which hosts belong to an app and which instances answer for it. Nothing here blocks longer than the
proxy takes to acknowledge (milliseconds).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

STATES = ("serving", "starting", "no-web", "stopped", "empty")
"""Why a known host has no instance: it boots, it is scaled to web=0, it was stopped, nothing was deployed yet."""


@dataclass(frozen=True)
class Target:
    """One instance that takes requests. `name` is unique among all containers ever made, e.g. `web.1-3f2c1ab09d3e`."""

    name: str
    address: str
    port: int


@dataclass(frozen=True)
class Route:
    """`hosts` are normalised names (IDNA, lower case, no trailing dot, no port)."""

    app: str
    hosts: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    state: str = "serving"


class Proxy(Protocol):
    """Promises of every proxy. Each method raises Unavailable when the proxy does not answer."""

    def start(self, routes: Iterable[Route]) -> None:
        """Makes `routes` all there is, whatever was before. Called once when the engine starts."""

    def publish(self, route: Route) -> None:
        """Makes `route` the app's route; returns when the proxy has acknowledged it. Idempotent, and atomic for new
        requests: when no target of the present route stays, all new requests go to the new targets from one moment
        on; otherwise targets are added and taken out one by one. A target that leaves finishes its requests."""

    def withdraw(self, app: str) -> None:
        """Forgets the app: its hosts answer 421 from now on, all its targets are released. Absent apps are fine."""

    def in_flight(self, app: str) -> dict[str, int]:
        """Requests under way per target name, including targets that left the route and were not released yet."""

    def release(self, app: str, target: str) -> None:
        """Cuts what is left of a target that is no longer in the route and forgets it. Absent targets are fine."""

    def routes(self) -> dict[str, Route]:
        """What is published now, by app, as read from the proxy itself."""
