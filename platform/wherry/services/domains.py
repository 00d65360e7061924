"""What a person can do with domains: add, remove, set, look. A change of the route only: no instance starts or stops.

The app's default host, `<app>.<domain of the platform>`, is a domain like the others: it can be removed and added again.
"""

from __future__ import annotations

from wherry import clock
from wherry.access.require import require
from wherry.errors import Conflict, InvalidInput, NothingToDo
from wherry.model.app import App
from wherry.model.front import MAX_DOMAINS, domain_words
from wherry.model.user import Actor
from wherry.routing.front import hosts_of
from wherry.routing.hosts import normalise_domain
from wherry.services.fronts import Faced, faced
from wherry.services.platform import Platform
from wherry.store import apps, domains, releases
from wherry.store.database import Connection


def change(platform: Platform, actor: Actor, name: str, add: list[str], remove: list[str]) -> Faced:
    """Adds some and removes some. Raises InvalidInput for what is no host name or wildcard, Conflict for one of another
    app, NotFound for one to remove that the app does not have, NothingToDo."""
    added, removed = _normalised(add), _normalised(remove)
    with platform.database.write() as connection:
        app = _may_change(connection, actor, name)
        present = hosts_of(app, platform.settings)
        for host in sorted(set(removed) - set(present)):
            domains.remove(connection, app, host)
        _become(platform, connection, actor, app, (*(host for host in present if host not in removed), *added))
        app = apps.get(connection, name)
    return faced(platform, app)


def set_all(platform: Platform, actor: Actor, name: str, given: list[str]) -> Faced:
    """Exactly these from now on; the default host stays only when it is among them."""
    hosts = _normalised(given)
    with platform.database.write() as connection:
        app = _may_change(connection, actor, name)
        _become(platform, connection, actor, app, hosts)
        app = apps.get(connection, name)
    return faced(platform, app)


def check_default_host(platform: Platform, connection: Connection, name: str) -> None:
    """Raises Conflict when the default host of a new app is a domain of another one."""
    host = platform.settings.host_of(name)
    owner = domains.owner(connection, host)
    if owner:
        raise Conflict(
            f"{host} is a domain of {owner}", code="domain_taken", hint=f"Choose another name, or: wherry domains:remove {owner} {host}"
        )


def _may_change(connection: Connection, actor: Actor, name: str) -> App:
    require(actor, "deploy", f"change the domains of {name}")
    return apps.get(connection, name)


def _normalised(given: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(normalise_domain(host) for host in given))


def _become(platform: Platform, connection: Connection, actor: Actor, app: App, hosts: tuple[str, ...]) -> None:
    """Gives the app these hosts, each change with its event."""
    present, wished = hosts_of(app, platform.settings), tuple(dict.fromkeys(hosts))
    if set(present) == set(wished):
        raise NothingToDo(f"{app.name} has these domains already; nothing to do")
    if len(wished) > MAX_DOMAINS:
        raise InvalidInput(f"{len(wished)} domains: an app may have up to {MAX_DOMAINS}", field="domain")
    domains.give(connection, platform.settings, actor, app, present, wished, clock.now())
    releases.record_change(connection, actor, app, domain_words(present, wished), clock.now())
