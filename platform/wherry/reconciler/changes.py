"""Every change but a push: config, scale, restart, stop, start, rollback, destroy. Each is a new wish and one switch."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wherry import clock
from wherry.errors import DeployFailed
from wherry.model import config_var
from wherry.model.app import EVERYTHING, App
from wherry.model.limits import changed, told
from wherry.model.process import check_types, quantity_words
from wherry.model.release import Release, code_of, wished_quantities
from wherry.receiving import repositories
from wherry.reconciler.converge import settle
from wherry.reconciler.execute import drain_limit
from wherry.reconciler.regain import regain
from wherry.reconciler.storage import destroy_all
from wherry.reconciler.switch import go_live, known_release, new_release, switch
from wherry.reconciler.told import in_force, kept, rest
from wherry.reconciler.work import Work
from wherry.store import apps, builds, events, releases
from wherry.store.database import Connection


def config(work: Work) -> None:
    """Sets and removes config vars; the change is a release, and takes effect when its instances are ready. A change of
    global ones comes with its words and changes nothing of the app's own."""
    app, carried = app_and_release(work)
    payload = work.operation.payload
    after = config_var.merged(app.config, payload["changes"])
    if carried is None:
        commit_only(work, config=after)
        return
    environment = replace(app, config=after).environment
    before, now = (app.config, after) if after != app.config else (carried.config, environment)
    what = payload.get("words") or config_var.words(before, now)
    if not payload.get("restart", True):
        _keep(work, after, what)
    elif before == now and known_release(work) is None:
        _nothing(work)
    else:
        release = known_release(work) or new_release(work, carried.build, after, what)
        go_live(work, release, lambda: in_force(work, release.description, release.version))


def _keep(work: Work, config: dict[str, str], words: str) -> None:
    """A release that leaves instances as they are: they take it up with the next one, or with a restart of the app."""
    with work.outside.database.write() as connection:
        app = apps.change(connection, apps.get(connection, work.operation.app), config=config)
        release = releases.record_change(connection, work.actor, app, words, clock.now(), work.operation.id)
        later = f"in force with the next release or: {work.command} ps:restart {app.name}"
        work.say(f"{words}. {release.version} is kept, {later}" if release else SAME.format(app=app.name))
        work.succeed(connection, **({"release": release.version} if release else {}))


def _nothing(work: Work) -> None:
    same = SAME.format(app=work.operation.app)
    work.say(same)
    with work.outside.database.write() as connection:
        work.succeed(connection, message=same)


SAME = "{app} has these values already; nothing to do"


def rollback(work: Work) -> None:
    """A new release with the image, config, Procfile, checks and limits of an earlier one. Formation, domains and volumes
    stay as they are today: capacity, names and data are not code. Unless they are all that differs."""
    app, carried = app_and_release(work)
    with work.outside.database.read() as connection:
        target, present = releases.get(connection, app, work.operation.payload["to"]), releases.current(connection, app)
        last = releases.live_before(connection, app, present.number) if present else None
    if carried and present and known_release(work) is None and code_of(present) == code_of(target):
        regain(work, carried, target)
        return
    if not work.outside.engine.image_exists(target.build.image):
        raise DeployFailed(
            f"the image of {target.version} is gone",
            code="image_gone",
            hint=f"It made room. Push that commit again, or build the last one: wherry ps:rebuild {work.operation.app}",
        )
    release = known_release(work) or _back_to(work, target)
    if why := work.operation.payload.get("why"):
        work.say(f"{why}; going back to {target.version}")
    elif present and last and target.number < last.number and code_of(present) == code_of(last):
        work.say(f"{present.version} ({present.description}) changed no code or config: that stays")
    otherwise = f"{_kept(target, release)}{_without(work, release)}"
    words = f"{release.version} = {target.version} (image {target.build.commit[:7]}, config of {target.version}{otherwise})"
    go_live(work, release, lambda: f"{words}. {_now(work)}")


def _now(work: Work) -> str:
    app = work.app()
    return f"In place; {rest(work, app)}" if app.stopped else f"Live in {work.seconds():.1f} s."


def _kept(target: Release, release: Release) -> str:
    """What a rollback left as it is today although it was otherwise then."""
    then, now = target.shape, release.shape
    names = {
        "formation": then.formation != now.formation,
        "domains": (then.domains, then.default_host) != (now.domains, now.default_host),
        "volumes": then.mounts != now.mounts,
    }
    kept = [name for name, differs in names.items() if differs]
    return f"; {' and '.join(kept)} of today" if kept else ""


def _without(work: Work, release: Release) -> str:
    """Global config vars that came since, and that the next release will have again."""
    left = sorted(work.app().shared.keys() - release.config.keys())
    return f"; without the global {', '.join(left)} until the next release" if left else ""


def _back_to(work: Work, target: Release) -> Release:
    """The config vars are those of then, byte for byte. Of the global ones, those that are others today become the app's own,
    so that its next release does not undo the way back. One that came since is the platform's and not the app's to take away: it is
    left out of this release, which may have to do without what broke it, and is there again in the next."""
    shape, today = target.shape, work.app().shared
    own = {key: value for key, value in target.config.items() if key not in shape.global_keys or today.get(key) != value}
    why = work.operation.payload.get("why")
    words = f"Rollback to {target.version}{f': {why}' if why else ''}"
    return new_release(work, target.build, own, words, target.config, limits=shape.limits, checks=shape.checks)


def scale(work: Work) -> None:
    """New quantities. Before the first deploy only the wish is kept."""
    app, release = app_and_release(work)
    wished: dict[str, int] = work.operation.payload["formation"]
    formation = {**app.formation, **wished}
    if release is None:
        commit_only(work, formation=formation)
        return
    check_types(wished, release.build.processes)
    words = quantity_words(wished_quantities(app, release), wished)
    ready: list[str] = []
    switch(
        work,
        replace(app, formation=formation),
        release,
        _change(work, f"Scale {words}", formation=formation),
        lambda: f"{words}; {rest(work, app)}" if app.stopped else ": ".join([words, ", ".join(ready)] if ready else [words]),
        {"formation": wished},
        ready.append,
    )


def limits(work: Work) -> None:
    """New limits of process types: a release, whose instances of those types start beside the old ones."""
    app, current = app_and_release(work)
    after = changed(app.limits, work.operation.payload["limits"])
    if current is None:
        commit_only(work, limits=after)
        return
    words = told(app.limits, after, work.outside.settings.instance_memory) or "the limits stay"
    release = known_release(work) or new_release(work, current.build, app.config, f"Limit {words}", limits=after)
    go_live(work, release, lambda: in_force(work, words, release.version))


def restart(work: Work) -> None:
    """Fresh instances beside the old ones, then the old ones leave. A restart of the whole app takes up config that waits
    for it; one of a part keeps to what the other instances carry."""
    scope = work.operation.payload["scope"]
    app, release = app_and_release(work, waiting=scope == EVERYTHING)
    restarts = work.operation.progress.get("restarts") or {**app.restarts, scope: app.restarts.get(scope, 0) + 1}
    with work.outside.database.write() as connection:
        work.reached(connection, restarts=restarts)
    work.outside.memory.forgive(app.name)
    what = app.name if scope == EVERYTHING else scope
    switch(
        work,
        replace(app, restarts=restarts),
        release,
        _change(work, restarts=restarts, running=release.number if release else None),
        lambda: f"{what} restarted in {work.seconds():.1f} s",
    )


def start(work: Work) -> None:
    """What was stopped runs again: all of it, or one scope. An app that was stopped as a whole takes up config that waits."""
    app, release = app_and_release(work, waiting=work.app().stopped)
    scope = work.operation.payload["scope"]
    held = [] if scope == EVERYTHING else [known for known in app.held if known != scope]
    what = app.name if scope == EVERYTHING else scope
    commit = _change(work, held=held, running=release.number if release else None)
    switch(work, replace(app, held=held), release, commit, _took(work, f"{what} started"))


def stop(work: Work) -> None:
    """Instances end after their requests and stay down; the operation is done when the last of them has gone."""
    app, scope = work.app(), work.operation.payload["scope"]
    _hold(work, [EVERYTHING] if scope == EVERYTHING else sorted({*app.held, scope}))
    _wait_until_gone(work, scope)
    what = f"{app.name} stopped; visitors get 503" if scope == EVERYTHING else f"{scope} stopped"
    again = app.name if scope == EVERYTHING else f"{app.name} {scope}"
    work.say(f"{what}. Start it again: {work.command} ps:start {again}")
    with work.outside.database.write() as connection:
        work.succeed(connection)


def _hold(work: Work, held: list[str]) -> None:
    with work.outside.database.write() as connection:
        apps.change(connection, apps.get(connection, work.operation.app), held=held)
    with work.outside.memory.alone(work.operation.app):
        settle(work.outside, work.operation.app)


def destroy(work: Work) -> None:
    """The app goes with all it has; its operations and events stay."""
    outside, name = work.outside, work.operation.app
    app = work.app()
    for vain in work.operation.payload.get("cancels", []):
        work.say(f"{vain} is cancelled")
    with outside.database.write() as connection:
        app = apps.change(connection, app, held=[EVERYTHING])
        images = builds.only_of(connection, app)
    with outside.memory.alone(name):
        outside.proxy.withdraw(name)
        settle(outside, name)
        _wait_until_gone(work)
        outside.proxy.withdraw(name)
        _remove_all(work, app, images)
    work.say(f"{name} is destroyed")
    with outside.database.write() as connection:
        apps.remove(connection, app)
        work.succeed(connection)
    shutil.rmtree(outside.settings.app_logs / name, ignore_errors=True)  # a visitor's last request may have left a line since
    outside.memory.forget_app(name)


def _remove_all(work: Work, app: App, images: set[str]) -> None:
    outside = work.outside
    outside.engine.remove_one_offs(app.name, detached=True)
    outside.engine.remove_network(app.name)
    destroy_all(outside, app)
    outside.builder.forget(images)
    for image in images:
        outside.engine.remove_image(image)
    repositories.remove(outside.settings, app.name)
    shutil.rmtree(outside.settings.app_logs / app.name, ignore_errors=True)


def _wait_until_gone(work: Work, scope: str = EVERYTHING) -> None:
    settings = work.outside.settings
    end = clock.monotonic() + drain_limit(work.app().checks, settings) + settings.stop_timeout + 10
    while clock.monotonic() < end:
        left = work.outside.engine.observe(work.operation.app)
        if not any(scope in (EVERYTHING, seen.type, seen.name) for seen in left):
            return
        clock.sleep(0.05)


def _took(work: Work, what: str) -> Callable[[], str]:
    return lambda: f"{what} in {work.seconds():.1f} s"


def app_and_release(work: Work, waiting: bool = False) -> tuple[App, Release | None]:
    """The app with the release that its instances carry; with `waiting` the current one, which they may not carry yet."""
    app = work.app()
    with work.outside.database.read() as connection:
        return app, releases.current(connection, app) if waiting else releases.running(connection, app)


def commit_only(work: Work, **columns: Any) -> None:
    """Before the first deploy."""
    work.say(kept(work.operation.app))
    with work.outside.database.write() as connection:
        _change(work, **columns)(connection)
        work.succeed(connection)


def _change(work: Work, description: str = "", **columns: Any) -> Callable[[Connection], None]:
    """Writes columns of the app, with the event; with a `description` the change is a release too."""

    def commit(connection: Connection) -> None:
        app = apps.change(connection, apps.get(connection, work.operation.app), **columns)
        shown = {key: value for key, value in columns.items() if key not in ("config", "running")}
        events.add(connection, work.actor, "app.changed", work.operation.app, clock.now(), **shown)
        if description:
            releases.record_change(connection, work.actor, app, description, clock.now(), work.operation.id)

    return commit
