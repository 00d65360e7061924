"""An app gets another name: instances of the new name start beside the old ones, then one switch moves the hosts.

Containers, networks and logs carry the name, so a rename is a new set of instances. Until it is committed nothing of the old
name is touched; after it, what is left of the old name is cleared away, by whoever owns the operation then.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

from wherry import clock
from wherry.errors import Conflict, DeployFailed
from wherry.model.app import App
from wherry.model.front import MAX_DOMAINS
from wherry.model.release import Release
from wherry.receiving import repositories
from wherry.reconciler import fronts
from wherry.reconciler.converge import fresh_subnet, make_network, prepare, settle
from wherry.reconciler.desired import Desired, desired_of
from wherry.reconciler.execute import Executor, drain_limit
from wherry.reconciler.steps import Retire
from wherry.reconciler.told import address
from wherry.reconciler.work import Work
from wherry.routing.proxy import Route
from wherry.store import apps, domains, events, releases


def rename(work: Work) -> None:
    """`to` is the new name. Raises Conflict when it was taken meanwhile, DeployFailed when the app does not start under it."""
    old, new = work.operation.app, work.operation.payload["to"]
    memory = work.outside.memory
    with memory.moving(old, new), memory.alone(old), memory.alone(new):
        if not work.operation.progress.get("renamed"):
            _move(work, old, new)
        _clear_away(work, old)
    memory.forget_app(old)
    with work.outside.database.write() as connection:
        app = apps.get(connection, new)
        work.say(f"{old} is {new} now, in {work.seconds():.1f} s: {address(work, app)}")
        _advise(work, app, old)
        work.succeed(connection, name=new)


def _advise(work: Work, app: App, old: str) -> None:
    settings = work.outside.settings
    host = settings.host_of(old)
    if host in app.domains:
        work.say(f"{host} still leads to it; end that with: {work.command} domains:remove {app.name} {host}")
    work.say(f"Push to its new address: git remote set-url wherry {settings.git_url_of(app.name)}")


def _move(work: Work, old: str, new: str) -> None:
    outside = work.outside
    with outside.database.read() as connection:
        app = apps.get(connection, old)
        release = releases.running(connection, app)
        if apps.find(connection, new):
            raise Conflict(f'app "{new}" exists already', code="name_taken", hint="Choose another name.")
    wished = _renamed(work, app, new)
    outside.move_log(old, new)
    try:
        subnet = _start(work, wished, release)
    except (DeployFailed, Conflict):
        outside.move_log(new, old)
        _end(work, desired_of(wished, release, outside.settings))
        outside.engine.remove_network(new)
        raise
    _commit(work, app, wished, subnet)
    repositories.rename(outside.settings, old, new)
    settle(outside, new)


def _renamed(work: Work, app: App, new: str) -> App:
    """The app as it will be: the host of its old name becomes a domain of its own, so that nobody is turned away."""
    host = work.outside.settings.host_of(app.name)
    keeps = app.front.default_host and host not in app.domains and len(app.domains) < MAX_DOMAINS - 1
    return replace(app, name=new, domains=(*app.domains, host) if keeps else app.domains)


def _start(work: Work, wished: App, release: Release | None) -> int:
    """The instances first, without a host, then all hosts at once: no visitor waits for a boot. Returns the number of its subnet."""
    outside = work.outside
    if release is None:
        return _subnet(work)
    desired = desired_of(wished, release, outside.settings)
    alone = next((spec for spec in desired.specs if spec.stop_first or spec.needs_alone), None)
    if alone:
        old, why = work.operation.app, "writes to a volume of one writer" if alone.needs_alone else "has its checks disabled"
        hint = f"Stop it, rename it, start it: wherry ps:stop {old}, apps:rename {old} {wished.name}, ps:start {wished.name}"
        raise Conflict(f"{old} may not run beside itself, as a rename does it: {alone.type} {why}", code="stops_first", hint=hint)
    subnet = make_network(outside, wished.name, _subnet(work), lambda refused: _subnet(work, refused))
    hidden = replace(desired.front, hosts=(), secure=()) if desired.front else None
    prepare(outside, replace(desired, hosts=(), front=hidden), work.detail, work.cancelled)
    prepare(outside, desired, work.detail, work.cancelled)
    return subnet


def _subnet(work: Work, refused: int = -1) -> int:
    with work.outside.database.read() as connection:
        return fresh_subnet(connection, refused)


def _commit(work: Work, app: App, wished: App, subnet: int) -> None:
    with work.outside.database.write() as connection:
        after = apps.rename(connection, app, wished.name, subnet)
        for host in wished.domains[len(app.domains) :]:
            domains.add(connection, after, host, work.actor.name, clock.now())
        events.add(connection, work.actor, "app.renamed", wished.name, clock.now(), before=app.name)
        words = f"Rename {app.name} to {wished.name}"
        releases.record_change(connection, work.actor, apps.get(connection, wished.name), words, clock.now(), work.operation.id)
        work.reached(connection, renamed=True)


def _clear_away(work: Work, old: str) -> None:
    """What still has the old name: its instances finish what they have and end, then its route and network go."""
    outside = work.outside
    with outside.database.read() as connection:
        app = apps.find(connection, work.operation.payload["to"])
    _end(work, Desired(old, (), (), "stopped", {}, front=Route(old, ()), check_settings=app.checks if app else {}))
    outside.proxy.withdraw(old)
    outside.engine.remove_one_offs(old, detached=True)
    outside.engine.remove_network(old)
    repositories.rename(outside.settings, old, work.operation.payload["to"])
    outside.forget_log(old)
    shutil.rmtree(outside.settings.app_logs / old, ignore_errors=True)


def _end(work: Work, desired: Desired) -> None:
    """Takes the app out of the traffic, and waits until its instances have drained and ended."""
    outside = work.outside
    fronts.publish(outside, Route(desired.app, (), state="stopped"))
    left = outside.engine.observe(desired.app)
    Executor(outside, desired, lambda _line: None).take([Retire(seen) for seen in left])
    end = clock.monotonic() + drain_limit(desired.check_settings, outside.settings) + outside.settings.stop_timeout + 10
    while clock.monotonic() < end and outside.engine.observe(desired.app):
        clock.sleep(0.05)
    outside.proxy.withdraw(desired.app)
