"""What a person can do with an app's drains: see them, add one, take one away."""

from __future__ import annotations

import uuid

from wherry import clock
from wherry.access.require import require
from wherry.addresses import resolve
from wherry.errors import InvalidInput, NotFound
from wherry.model.drain import MAX_DRAINS, Drain, check_url, parse_url
from wherry.model.user import Actor
from wherry.services.platform import Platform
from wherry.store import apps, drains, events


def of_app(platform: Platform, actor: Actor, name: str) -> list[Drain]:
    require(actor, "read", f"see the drains of {name}")
    with platform.database.read() as connection:
        return drains.of_app(connection, apps.get(connection, name))


def add(platform: Platform, actor: Actor, name: str, url: str) -> Drain:
    """Sends the app's log there from now on. Raises InvalidInput, Forbidden for an address that is not allowed, Unavailable for
    a host that is not known, Conflict for a drain that is there."""
    require(actor, "deploy", f"add a drain to {name}")
    url = check_url(url)
    receiver = parse_url(url)
    with platform.database.read() as connection:
        apps.get(connection, name)
    resolve(receiver.host, receiver.port, platform.settings.drain_internal == "yes", "WHERRY_DRAIN_INTERNAL")
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        if len(drains.of_app(connection, app)) >= MAX_DRAINS:
            raise InvalidInput(f"{name} has {MAX_DRAINS} drains, which is as many as an app may have", field="url")
        drain = drains.add(connection, app, url, f"d.{uuid.uuid4()}", actor.name, clock.now())
        events.add(connection, actor, "drain.added", name, clock.now(), drain=drain.token, url=drain.shown)
    platform.wake()
    return drain


def remove(platform: Platform, actor: Actor, name: str, which: str) -> Drain:
    """`which` is a drain's token, its address, or the address as it is shown. Raises NotFound, InvalidInput for one that fits several."""
    require(actor, "deploy", f"remove a drain of {name}")
    with platform.database.write() as connection:
        found = [drain for drain in drains.of_app(connection, apps.get(connection, name)) if _is(drain, which)]
        if not found:
            raise NotFound(f"{name} has no such drain", code="no_such_drain", hint=f"See them with: wherry drains {name}")
        if len(found) > 1:
            raise InvalidInput(f"that fits {len(found)} drains: name one by its token, e.g. {found[0].token}", field="drain")
        drains.remove(connection, found[0])
        events.add(connection, actor, "drain.removed", name, clock.now(), drain=found[0].token, url=found[0].shown)
    platform.wake()
    return found[0]


def _is(drain: Drain, which: str) -> bool:
    if which in (drain.token, drain.shown, drain.url.reveal()):
        return True
    try:
        return check_url(which) == drain.url.reveal()
    except InvalidInput:
        return False
