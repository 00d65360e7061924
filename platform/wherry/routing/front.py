"""The front of an app's route, from what its people wished: hosts, HTTPS, door. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from wherry.model.app import App
from wherry.routing.haproxy_front import PLAIN, apart
from wherry.routing.hosts import covers
from wherry.routing.proxy import Door, Route
from wherry.settings import Settings


def front_of(app: App, settings: Settings) -> Route:
    """The app's route without targets, as it should be now."""
    secure = secure_hosts(app, settings)
    return Route(
        app.name, tuple(sorted(hosts_of(app, settings))), secure=tuple(sorted(secure)), hsts=_hsts(app) if secure else "", door=_door(app)
    )


def with_front(route: Route, front: Route) -> Route:
    """`route` with the front of another; its targets and state stay."""
    return replace(front, targets=route.targets, state=route.state)


def fingerprint(route: Route) -> str:
    """Equal for routes with the same front."""
    return hashlib.sha256(repr((route.hosts, route.secure, route.hsts, route.door)).encode()).hexdigest()[:32]


def hosts_of(app: App, settings: Settings) -> tuple[str, ...]:
    """All domains that the app answers at: its own in the order they were added, then the platform's for it."""
    default = settings.host_of(app.name)
    return (*app.domains, *((default,) if app.front.default_host and default not in app.domains else ()))


def secure_hosts(app: App, settings: Settings) -> tuple[str, ...]:
    """Those whose visitors are sent to HTTPS."""
    hosts = hosts_of(app, settings)
    if app.front.redirect == "auto":
        return tuple(host for host in hosts if any(covers(name, host) for name in app.certified))
    return hosts if app.front.redirect == "on" else ()


def main_host(app: App, settings: Settings) -> str:
    """The host that people are told: the app's first own domain, else the platform's. A host that a renamed app keeps is told
    only when there is no other."""
    default = settings.host_of(app.name)
    hosts = [host for host in hosts_of(app, settings) if not host.startswith("*.")]
    return min(hosts, key=lambda host: host != default and host.partition(".")[2] == settings.domain, default=default)


def url_of(app: App, settings: Settings) -> str:
    """Where visitors find the app, e.g. `https://shop.example.org`; empty when it answers nowhere, or at a wildcard only."""
    host = main_host(app, settings)
    if host not in hosts_of(app, settings):
        return ""
    secure = host in secure_hosts(app, settings) or any(covers(name, host) for name in app.certified)
    scheme, port, usual = ("https", settings.https_port, 443) if secure else ("http", settings.http_port, 80)
    return f"{scheme}://{host}{'' if port == usual else f':{port}'}"


def _hsts(app: App) -> str:
    front = app.front
    return f"max-age={front.hsts}{';includeSubDomains' if front.hsts_subdomains else ''}" if front.hsts else ""


def _door(app: App) -> Door:
    front = app.front
    users = tuple(sorted((secret, name) for name, secret in front.users.items()))
    return Door(apart(front.allow), front.salt if users else "", users, (front.page or PLAIN) if front.maintenance else "")
