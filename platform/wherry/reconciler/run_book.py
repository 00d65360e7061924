"""Writes down how runs go: the row, the line among the instances, the event, the app's log. And what a run runs."""

from __future__ import annotations

from dataclasses import asdict, replace

from wherry import clock
from wherry.model.instance import Instance
from wherry.model.limits import limits_of, one_off_type, wish_of
from wherry.model.release import Release
from wherry.model.run import TYPE, Run
from wherry.model.user import PLATFORM, Actor
from wherry.reconciler.desired import spec_of
from wherry.reconciler.outside import Outside
from wherry.running.engine import InstanceSpec
from wherry.secret import Secret
from wherry.store import apps, events, instances, releases, runs


def spec_of_run(outside: Outside, run: Run) -> InstanceSpec:
    """The container of a one-off: the release's image and config, with the limits of what it runs and the memory it asked for."""
    with outside.database.read() as connection:
        app = apps.get(connection, run.app)
        release = releases.get(connection, app, run.release)
    spec = spec_of(app, release, TYPE, run.number, outside.settings)
    wish = wish_of(release.shape.limits, release.build.sizes, one_off_type(run.command, release.build.processes))
    limits = replace(limits_of(wish, run.memory), memory=run.memory)
    term = {"TERM": Secret(run.screen.term)} if run.screen else {}
    line, argv = _what(release, run.command)
    return replace(spec, command=line, argv=argv, env={**spec.env, **term}, **asdict(limits))


def _what(release: Release, command: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """One word is a process type or a line for the shell, more are a program and its arguments (Heroku's rule)."""
    if len(command) > 1:
        return "", command
    return release.build.processes.get(command[0], command[0]), ()


def started(outside: Outside, run: Run, container: str) -> None:
    actor = Actor(run.actor, "deploy", run.via)
    with outside.database.write() as connection:
        runs.started(connection, run, container, clock.now())
        if run.instance:
            events.add(
                connection, actor, "instance.entered", run.app, clock.now(), instance=run.instance, run=run.name, program=run.program
            )
        else:
            instances.put(connection, _row(run, container))
            events.add(connection, actor, "run.started", run.app, clock.now(), run=run.name, program=run.program)


def announced(outside: Outside, run: Run) -> None:
    """Said before it starts, so that its own lines stand below."""
    if run.instance:
        outside.platform_line(run.app, run.instance, f"{run.actor} enters with {run.program} ({run.name})")
    else:
        outside.platform_line(run.app, run.name, f"Started by {run.actor}: {run.program}")


def ended(outside: Outside, run: Run, exit_code: int | None, reason: str) -> None:
    """`reason` is empty when it ended by itself. Said once; a run that is gone with its app is fine."""
    with outside.database.write() as connection:
        if not runs.ended(connection, run, exit_code, reason, clock.now()):
            return
        if not run.instance:
            instances.remove(connection, run.app, TYPE, run.number)
        events.add(connection, PLATFORM, "run.ended", run.app, clock.now(), run=run.name, exit_code=exit_code, reason=reason)
    if run.instance:
        outside.platform_line(run.app, run.instance, f"{run.actor} left ({run.name})")
    else:
        outside.platform_line(run.app, run.name, f"Ended: {how(exit_code, reason)}")


def how(exit_code: int | None, reason: str) -> str:
    """`exit 0`, `stopped by bob (exit 143)`, `its container is gone`."""
    if exit_code is None:
        return reason or "nobody can tell how"
    return f"{reason} (exit {exit_code})" if reason else f"exit {exit_code}"


def forget_rows(outside: Outside, keep: set[tuple[str, int]]) -> None:
    """Takes away the lines of one-offs that are not among `keep` (app, number)."""
    with outside.database.read() as connection:
        stale = [row for row in instances.every(connection) if row.type == TYPE and (row.app, row.index) not in keep]
    for row in stale:
        with outside.database.write() as connection:
            instances.remove(connection, row.app, row.type, row.index)


def _row(run: Run, container: str) -> Instance:
    return Instance(
        app=run.app,
        type=TYPE,
        index=run.number,
        release=run.release,
        state="running",
        since=clock.now(),
        container=container,
        detail=f"{run.program} by {run.actor}",
    )
