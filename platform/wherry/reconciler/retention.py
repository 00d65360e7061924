"""Lets old releases go, by number: what is kept can be rolled back to, so an image goes with its last release and not before."""

from __future__ import annotations

from wherry import clock
from wherry.model.app import App
from wherry.model.user import PLATFORM
from wherry.reconciler.outside import Outside
from wherry.store import apps, events, operations, releases, runs
from wherry.store.database import Connection


def expire_releases(outside: Outside) -> None:
    """Every app keeps its newest WHERRY_RELEASES and what it still needs. An app that is being worked on waits for the next time:
    its operation may be on its way to a release of any age."""
    with outside.database.read() as connection:
        names = [app.name for app in apps.every(connection)]
    for name in names:
        with outside.database.write() as connection:
            app = apps.find(connection, name)
            if app and not operations.open_of_app(connection, name):
                _expire(connection, app, outside.settings.releases)


def _expire(connection: Connection, app: App, keep: int) -> None:
    used = {run.release for run in runs.unended(connection) if run.app == app.name}
    gone = [release for release in releases.expired(connection, app, keep) if release.number not in used]
    for release in gone:
        releases.remove(connection, release)
    if gone:
        versions = [release.version for release in reversed(gone)]
        events.add(connection, PLATFORM, "release.expired", app.name, clock.now(), versions=versions)
