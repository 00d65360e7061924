"""Brings the front of an app (hosts, HTTPS, door) to the proxy, whatever its instances do: a change of the route only."""

from __future__ import annotations

import sys
from dataclasses import replace

from wherry import clock
from wherry.errors import InvalidInput
from wherry.model.user import PLATFORM
from wherry.reconciler.outside import Outside
from wherry.routing import front as rules
from wherry.routing.haproxy_front import PLAIN
from wherry.routing.proxy import Route
from wherry.store import apps, domains, events, fronts


def publish(outside: Outside, route: Route) -> None:
    """Publishes a whole route, with the owner's page if it names one."""
    _keep_page(outside, route)
    outside.proxy.publish(route)
    _note(outside, route)


def refresh(outside: Outside, routes: dict[str, Route]) -> dict[str, Route]:
    """Puts right the fronts of apps that are published otherwise than wished; returns the routes as they are then.

    Needs neither the Docker engine nor the app's turn, so a domain or maintenance does not wait for a deploy.
    """
    with outside.database.read() as connection:
        wished = [rules.front_of(app, outside.settings) for app in apps.every(connection)]
    after = dict(routes)
    for front in wished:
        present = routes.get(front.app)
        if present is None or outside.memory.is_moving(front.app):
            continue
        after[front.app] = rules.with_front(present, front)
        try:
            _face(outside, front, after[front.app] != present)
        except InvalidInput as error:
            print(f"{front.app}: {error}", file=sys.stderr, flush=True)
    return after


def wished(outside: Outside, name: str) -> Route | None:
    """The front that an app should have now, None for one that is gone."""
    with outside.database.read() as connection:
        app = apps.find(connection, name)
    return rules.front_of(app, outside.settings) if app else None


def _face(outside: Outside, front: Route, differs: bool) -> None:
    if differs:
        _keep_page(outside, front)
        outside.proxy.face(front)
    _note(outside, front)


def keep_pages(outside: Outside) -> None:
    """Makes sure of the owners' pages that are shown now."""
    with outside.database.read() as connection:
        wished = [rules.front_of(app, outside.settings) for app in apps.every(connection)]
    for front in wished:
        _keep_page(outside, front)


def yield_default_hosts(outside: Outside) -> None:
    """Where the platform's domain has changed, an app's new default host may be another app's own domain: the latter stays."""
    with outside.database.write() as connection:
        for app in apps.every(connection):
            host = outside.settings.host_of(app.name)
            owner = domains.owner(connection, host) if app.front.default_host else None
            if owner not in (None, app.name):
                fronts.put(connection, app, replace(app.front, default_host=False))
                events.add(connection, PLATFORM, "domain.removed", app.name, clock.now(), domain=host, reason=f"a domain of {owner}")


def _keep_page(outside: Outside, route: Route) -> None:
    digest = route.door.maintenance
    if digest in ("", PLAIN):
        return
    with outside.database.read() as connection:
        outside.proxy.keep_page(digest, fronts.page(connection, route.app))


def _note(outside: Outside, route: Route) -> None:
    """Whoever asked for a front waits for this word."""
    fingerprint = rules.fingerprint(route)
    if outside.memory.fronts.get(route.app) != fingerprint:
        with outside.database.write() as connection:
            fronts.put_published(connection, route.app, fingerprint)
        outside.memory.fronts[route.app] = fingerprint
