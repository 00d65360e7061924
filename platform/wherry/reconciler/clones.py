"""A copy of an app under another name: its image, config, limits and settings run at once, without a build."""

from __future__ import annotations

from dataclasses import replace

from wherry import clock
from wherry.errors import DeployFailed
from wherry.model.app import App
from wherry.model.build import Build
from wherry.reconciler.switch import go_live, known_release, new_release
from wherry.reconciler.told import address
from wherry.reconciler.work import Work
from wherry.store import apps, builds, events, fronts, releases
from wherry.store.database import Connection

COPIED = ("formation", "config", "limits", "checks", "build", "labels", "restart_policy")
"""What the copy has from the app; domains, certificates, volumes, releases and repository stay that one's own."""


def clone(work: Work) -> None:
    """Makes the app, and its first release unless that was not wished. A copy that does not start is taken away again."""
    made, build = _made(work)
    source = work.operation.payload["clone_of"]
    if build is None:
        work.say(f"{made.name} has the settings of {source} and no release yet. Push to it: git push REMOTE main")
        with work.outside.database.write() as connection:
            work.succeed(connection)
        return
    release = known_release(work) or new_release(work, build, made.config, f"Clone of {source}")
    try:
        go_live(work, release, lambda: _words(work, source))
    except DeployFailed:
        _take_away(work, made)
        raise


def _words(work: Work, source: str) -> str:
    app = work.app()
    shared = f" Its config vars are those of {source}: a database that they name is shared now." if app.config else ""
    return f"{app.name} is a copy of {source}. Live in {work.seconds():.1f} s: {address(work, app)}.{shared}"


def _made(work: Work) -> tuple[App, Build | None]:
    """The new app with its build, as an earlier owner made it or as it is made now."""
    with work.outside.database.write() as connection:
        if "made" not in work.operation.progress:
            build = _copy(work, connection)
            work.reached(connection, made=True, build=build.id if build else None)
            return apps.get(connection, work.operation.app), build
        number = work.operation.progress["build"]
        return apps.get(connection, work.operation.app), builds.get(connection, number) if number else None


def _copy(work: Work, connection: Connection) -> Build | None:
    source = apps.get(connection, work.operation.payload["clone_of"])
    app = apps.create(connection, work.operation.app, work.actor.name, clock.now())
    apps.change(connection, app, **{name: getattr(source, name) for name in COPIED})
    fronts.put(connection, app, replace(source.front, default_host=True, maintenance=False, page=""))
    events.add(connection, work.actor, "app.created", app.name, clock.now(), clone_of=source.name)
    release = releases.running(connection, source)
    if release is None or not work.operation.payload["deploy"]:
        return None
    return builds.add(connection, replace(release.build, app_id=app.id, created_at=clock.now()))


def _take_away(work: Work, app: App) -> None:
    with work.outside.memory.alone(app.name):
        work.outside.proxy.withdraw(app.name)
        work.outside.engine.remove_network(app.name)
        with work.outside.database.write() as connection:
            apps.remove(connection, app)
