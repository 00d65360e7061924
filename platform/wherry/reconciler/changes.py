"""Every change but a push: config, scale, restart, stop, start, rollback, destroy. Each is a new wish and one switch."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wherry import clock
from wherry.errors import DeployFailed
from wherry.model.app import App
from wherry.model.config_var import merged
from wherry.model.process import check_types
from wherry.model.release import Release, wished_quantities
from wherry.reconciler.converge import settle
from wherry.reconciler.switch import go_live, known_release, new_release, switch
from wherry.reconciler.work import Work
from wherry.store import apps, builds, events, releases
from wherry.store.database import Connection


def config(work: Work) -> None:
    """Sets and removes config vars; the change is a release, and takes effect when its instances are ready."""
    app, current = _app_and_release(work)
    after = merged(app.config, work.operation.payload["changes"])
    if current is None:
        _commit_only(work, config=after)
        return
    release = known_release(work) or new_release(work, current.build, after, _config_words(app.config, after))
    go_live(work, release, lambda: f"{release.description}. {release.version} live in {work.seconds():.1f} s")


def rollback(work: Work) -> None:
    """A new release with the image and the config of an earlier one."""
    with work.outside.database.read() as connection:
        target = releases.get(connection, work.app(), work.operation.payload["to"])
    if not work.outside.engine.image_exists(target.build.image):
        raise DeployFailed(f"the image of {target.version} is gone", code="image_gone", hint="Push that commit again.")
    release = known_release(work) or new_release(work, target.build, target.config, f"Rollback to {target.version}")
    words = f"{release.version} = {target.version} (image {target.build.commit[:7]}, config of {target.version})"
    go_live(work, release, lambda: f"{words}. Live in {work.seconds():.1f} s.")


def scale(work: Work) -> None:
    """New quantities. Before the first deploy only the wish is kept."""
    app, release = _app_and_release(work)
    wished: dict[str, int] = work.operation.payload["formation"]
    formation = {**app.formation, **wished}
    if release is None:
        _commit_only(work, formation=formation)
        return
    check_types(wished, release.build.processes)
    words = _scale_words(wished_quantities(app, release), wished)
    ready: list[str] = []
    switch(
        work,
        replace(app, formation=formation),
        release,
        _change(work, formation=formation),
        lambda: ": ".join([words, ", ".join(ready)] if ready else [words]),
        {"formation": wished},
        ready.append,
    )


def restart(work: Work) -> None:
    """Fresh instances beside the old ones, then the old ones leave."""
    app, release = _app_and_release(work)
    scope = work.operation.payload["scope"]
    restarts = work.operation.progress.get("restarts") or {**app.restarts, scope: app.restarts.get(scope, 0) + 1}
    with work.outside.database.write() as connection:
        work.reached(connection, restarts=restarts)
    work.outside.memory.forgive(app.name)
    what = app.name if scope == "*" else scope
    switch(
        work,
        replace(app, restarts=restarts),
        release,
        _change(work, restarts=restarts),
        lambda: f"{what} restarted in {work.seconds():.1f} s",
    )


def start(work: Work) -> None:
    """The wished instances run again."""
    app, release = _app_and_release(work)
    switch(
        work, replace(app, stopped=False), release, _change(work, stopped=False), lambda: f"{app.name} started in {work.seconds():.1f} s"
    )


def stop(work: Work) -> None:
    """All instances end after their requests; the operation is done when the last has gone."""
    outside, name = work.outside, work.operation.app
    with outside.database.write() as connection:
        apps.change(connection, apps.get(connection, name), stopped=True)
    with outside.memory.alone(name):
        settle(outside, name)
    _wait_until_gone(work)
    work.say(f"{name} stopped; visitors get 503. Start it again: wherry ps:start {name}")
    with outside.database.write() as connection:
        work.succeed(connection)


def destroy(work: Work) -> None:
    """The app goes with all it has; its operations and events stay."""
    outside, name = work.outside, work.operation.app
    app = work.app()
    with outside.database.write() as connection:
        app = apps.change(connection, app, stopped=True)
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
    outside.memory.forget_app(name)


def _remove_all(work: Work, app: App, images: set[str]) -> None:
    outside = work.outside
    outside.engine.remove_network(app.name)
    for image in images:
        outside.engine.remove_image(image)
    for folder in (outside.settings.repositories / f"{app.name}.git", outside.settings.app_logs / app.name):
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_gone(work: Work) -> None:
    settings = work.outside.settings
    end = clock.monotonic() + settings.drain_timeout + settings.stop_timeout + 10
    while work.outside.engine.observe(work.operation.app) and clock.monotonic() < end:
        clock.sleep(0.05)


def _took(work: Work, what: str) -> Callable[[], str]:
    return lambda: f"{what} in {work.seconds():.1f} s"


def _app_and_release(work: Work) -> tuple[App, Release | None]:
    app = work.app()
    with work.outside.database.read() as connection:
        return app, releases.current(connection, app)


def _commit_only(work: Work, **columns: Any) -> None:
    with work.outside.database.write() as connection:
        _change(work, **columns)(connection)
        work.succeed(connection)


def _change(work: Work, **columns: Any) -> Callable[[Connection], None]:
    def commit(connection: Connection) -> None:
        apps.change(connection, apps.get(connection, work.operation.app), **columns)
        shown = {key: value for key, value in columns.items() if key != "config"}
        events.add(connection, work.actor, "app.changed", work.operation.app, clock.now(), **shown)

    return commit


def _config_words(before: dict[str, str], after: dict[str, str]) -> str:
    """What changed, by key; values stay out of descriptions."""
    keys_set = sorted(key for key, value in after.items() if before.get(key) != value)
    removed = sorted(key for key in before if key not in after)
    parts = [f"Set {', '.join(keys_set)}"] if keys_set else []
    parts += [f"{'remove' if parts else 'Remove'} {', '.join(removed)}"] if removed else []
    return " and ".join(parts) or "Keep config"


def _scale_words(before: dict[str, int], wished: dict[str, int]) -> str:
    changed = {name: quantity for name, quantity in wished.items() if before.get(name) != quantity}
    return ", ".join(f"{name} {before.get(name, 0)} -> {quantity}" for name, quantity in (changed or wished).items())
