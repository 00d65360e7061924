"""A rollback to a release with the image and config that run already: what came since is how many instances run and at which
domains, so those are what goes back. No instance that stays is touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wherry import clock
from wherry.model.app import App
from wherry.model.front import domain_words
from wherry.model.process import quantity_words
from wherry.model.release import Release, wished_quantities
from wherry.reconciler.switch import switch
from wherry.reconciler.told import rest
from wherry.reconciler.work import Work
from wherry.routing.front import hosts_of
from wherry.store import apps, domains, releases
from wherry.store.database import Connection


def regain(work: Work, carried: Release, target: Release) -> None:
    """Makes a release with formation and domains of `target`. `carried` is what the instances run. Raises Conflict when
    another app has one of the domains by now."""
    app, result = work.app(), dict[str, Any]()
    formation = {**app.formation, **target.shape.formation}
    words = _words(work, app, carried, target)

    def commit(connection: Connection) -> None:
        present = apps.get(connection, app.name)
        apps.change(connection, present, formation=formation)
        hosts = _hosts(work, present, target)
        domains.give(connection, work.outside.settings, work.actor, present, hosts_of(present, work.outside.settings), hosts, clock.now())
        release = releases.record_change(connection, work.actor, app, f"Rollback to {target.version}", clock.now(), work.operation.id)
        result.update({"release": release.version} if release else {})

    def live_line() -> str:
        return (
            f"Back to {target.version}: {words}. {f'In place; {rest(work, app)}' if app.stopped else f'In force in {work.seconds():.1f} s'}"
        )

    with work.outside.database.read() as connection:
        domains.check_free(connection, work.outside.settings, app, _hosts(work, app, target))
    switch(work, replace(app, formation=formation), carried, commit, live_line, result, work.detail)


def _words(work: Work, app: App, carried: Release, target: Release) -> str:
    present, then = wished_quantities(app, carried), target.shape.formation
    names = domain_words(hosts_of(app, work.outside.settings), _hosts(work, app, target))
    parts = [quantity_words(present, then) if present != then else "", names[:1].lower() + names[1:]]
    return ", ".join(filter(None, parts)) or "all is so by now"


def _hosts(work: Work, app: App, target: Release) -> tuple[str, ...]:
    """Where the app answered then."""
    then = replace(app, domains=target.shape.domains, front=replace(app.front, default_host=target.shape.default_host))
    return hosts_of(then, work.outside.settings)
