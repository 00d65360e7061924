"""The last steps of every change: boot what the new wish lacks beside the old, let the traffic move, commit the wish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wherry import clock, failpoint
from wherry.errors import DeployFailed, Unavailable
from wherry.model.app import App
from wherry.model.build import Build
from wherry.model.release import Release, wished_quantities
from wherry.model.volume import check_writers, mounts_from_json
from wherry.reconciler import bakes
from wherry.reconciler.converge import prepare, settle, settled
from wherry.reconciler.desired import desired_of
from wherry.reconciler.work import Work
from wherry.store import apps, events, releases
from wherry.store.database import Connection


def new_release(
    work: Work, build: Build, config: dict[str, str], description: str, environment: dict[str, str] | None = None, **wished: Any
) -> Release:
    """Numbers a release, with its event, and remembers that this operation made it. `wished` are columns of the app that
    the release changes (`limits`, `checks`, `mounts`); they become the app's when it goes live. `config` and `environment`
    as for `releases.add`."""
    with work.outside.database.write() as connection:
        app = replace(apps.get(connection, work.operation.app), **wished)
        release = releases.add(connection, app, build, config, description, work.actor.name, clock.now(), work.operation.id, environment)
        events.add(connection, work.actor, "release.created", app.name, clock.now(), release=release.version, description=description)
        work.reached(connection, release=release.number)
    failpoint.at("release_row")
    return release


def known_release(work: Work) -> Release | None:
    """The release that an earlier owner of this operation made."""
    number = work.operation.progress.get("release")
    if number is None:
        return None
    with work.outside.database.read() as connection:
        return releases.get(connection, work.app(), number)


def go_live(
    work: Work,
    release: Release,
    live_line: Callable[[], str],
    afterwards: Callable[[], None] | None = None,
    before: Callable[[], None] | None = None,
) -> None:
    """Makes `release` the current one and its code that of the instances. Raises DeployFailed while the old one serves on;
    the end of the operation is then the end of the release.
    `afterwards` is done when the release is committed, before the operation ends; whatever it does, the release stays."""

    shape = release.shape
    columns: dict[str, Any] = {"config": release.own_config, "limits": shape.limits, "checks": shape.checks, "mounts": shape.mounts}

    # What a person set for checks changes no code: there is nothing to watch, and a watch that was on ends.
    window = None if work.operation.kind == "checks" else bakes.wanted(work.outside, work.actor, work.app(), release)

    def live() -> str:
        if window is None or not window.back_to:
            return live_line()
        work.say(live_line())
        return f"{work.indent}watched for {window.seconds} s: {work.command} releases {work.operation.app}"

    def commit(connection: Connection) -> None:
        app = apps.get(connection, work.operation.app)
        apps.change(connection, app, release=release.number, running=release.number, **columns)
        if window:
            window.open(connection)
        releases.record_outcome(connection, release, "live", "", clock.now())
        events.add(connection, work.actor, "release.live", work.operation.app, clock.now(), release=release.version)

    wished = replace(work.app(), **columns)
    switch(work, wished, release, commit, live, {"release": release.version}, afterwards=afterwards, before=before)


def switch(
    work: Work,
    wished: App,
    release: Release | None,
    commit: Callable[[Connection], None],
    live_line: Callable[[], str],
    result: dict[str, Any] | None = None,
    detail: Callable[[str], None] | None = None,
    afterwards: Callable[[], None] | None = None,
    before: Callable[[], None] | None = None,
) -> None:
    """Brings the app to `wished` with `release`. `commit` writes that wish in the transaction that ends the operation;
    `live_line` is said when the traffic has moved, `detail` hears of each instance that became ready, `before` is done
    first. Raises DeployFailed after taking away what was started for nothing, and Conflict before anything is started
    when a volume would get more writers than it may have."""
    outside = work.outside
    _check_writers(wished, release)
    desired = desired_of(wished, release, outside.settings)
    with outside.memory.alone(wished.name):
        try:
            if before:
                before()
            prepare(outside, desired, detail or work.detail, work.cancelled, work.pause)
        except DeployFailed:
            settle(outside, wished.name)
            work.pause.end(back=settled(outside, wished.name))
            raise
        except Unavailable:
            outside.memory.keep_for_an_operation(wished.name)  # for the next try: what has begun to boot or to serve stays
            raise
        _say_pause(work)
        work.say(live_line())
        failpoint.at("commit")
        with outside.database.write() as connection:
            commit(connection)
            if afterwards:
                work.reached(connection, live=True)
            else:
                work.succeed(connection, **(result or {}))
        settle(outside, wished.name)
    if afterwards:
        afterwards()
        with outside.database.write() as connection:
            work.succeed(connection, **(result or {}))


def _check_writers(app: App, release: Release | None) -> None:
    if release:
        shared = {volume.name for volume in app.volumes if volume.shared}
        check_writers(app.name, mounts_from_json(app.mounts), shared, wished_quantities(app, release))


def _say_pause(work: Work) -> None:
    """Says what visitors noticed of a web process that was stopped first."""
    pause, limit = work.pause, work.outside.settings.hold_timeout
    if pause.began is None:
        return
    pause.end(back=True)
    if pause.held and pause.seconds <= limit:
        work.detail(f"requests waited meanwhile, {pause.seconds:.1f} s at the most")
    elif pause.held:
        work.detail(f"it took {pause.seconds:.0f} s: requests waited up to {limit} s, then were told to come back")
