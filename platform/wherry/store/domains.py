"""Domains in the database: each belongs to one app."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from wherry.errors import Conflict, NotFound
from wherry.model.app import App
from wherry.model.user import Actor
from wherry.settings import Settings
from wherry.store import apps, events, fronts


def add(connection: sqlite3.Connection, app: App, host: str, actor: str, at: str) -> None:
    """Raises Conflict when another app has it; one that the app has already is fine."""
    taken = owner(connection, host)
    if taken is None:
        connection.execute("INSERT INTO domains (host, app_id, created_at, created_by) VALUES (?, ?, ?, ?)", (host, app.id, at, actor))
    elif taken != app.name:
        raise Conflict(
            f"{host} is a domain of {taken}", code="domain_taken", hint=f"Take it away there: wherry domains:remove {taken} {host}"
        )


def remove(connection: sqlite3.Connection, app: App, host: str) -> None:
    """Raises NotFound when the app does not have it."""
    cursor = connection.execute("DELETE FROM domains WHERE app_id = ? AND host = ?", (app.id, host))
    if not cursor.rowcount:
        raise NotFound(f"{app.name} has no domain {host}", code="no_such_domain", hint=f"See them with: wherry domains {app.name}")


def owner(connection: sqlite3.Connection, host: str) -> str | None:
    """The name of the app whose domain this is, None when nobody's."""
    row = connection.execute("SELECT name FROM domains JOIN apps ON apps.id = app_id WHERE host = ?", (host,)).fetchone()
    return str(row["name"]) if row else None


def give(
    connection: sqlite3.Connection, settings: Settings, actor: Actor, app: App, present: tuple[str, ...], wished: tuple[str, ...], at: str
) -> None:
    """Has the app answer at `wished` in place of `present`, its default host among them or not; each change with its event.
    Raises Conflict for a host of another app."""
    check_free(connection, settings, app, wished)
    for host in (host for host in present if host not in wished):
        _drop(connection, settings, app, host)
        events.add(connection, actor, "domain.removed", app.name, at, domain=host)
    for host in (host for host in wished if host not in present):
        _take(connection, settings, actor, app, host, at)
        events.add(connection, actor, "domain.added", app.name, at, domain=host)


def check_free(connection: sqlite3.Connection, settings: Settings, app: App, hosts: tuple[str, ...]) -> None:
    """Raises Conflict for the first host that another app answers at."""
    for host in hosts:
        taken = owner(connection, host) or _default_owner(connection, settings, host)
        if taken not in (None, app.name):
            raise Conflict(
                f"{host} is a domain of {taken}", code="domain_taken", hint=f"Take it away there: wherry domains:remove {taken} {host}"
            )


def _take(connection: sqlite3.Connection, settings: Settings, actor: Actor, app: App, host: str, at: str) -> None:
    if host == settings.host_of(app.name):
        fronts.put(connection, app, replace(apps.by_id(connection, app.id).front, default_host=True))
    else:
        add(connection, app, host, actor.name, at)


def _drop(connection: sqlite3.Connection, settings: Settings, app: App, host: str) -> None:
    if host in app.domains:
        remove(connection, app, host)
    if host == settings.host_of(app.name):
        fronts.put(connection, app, replace(apps.by_id(connection, app.id).front, default_host=False))


def _default_owner(connection: sqlite3.Connection, settings: Settings, host: str) -> str | None:
    """The app that answers at this host because of its name."""
    name, _, rest = host.partition(".")
    app = apps.find(connection, name) if rest == settings.domain else None
    return app.name if app and app.front.default_host else None
