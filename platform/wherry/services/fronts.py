"""What a person can do with how an app meets visitors: HTTPS, who gets in, maintenance. Written at once, live within moments."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from wherry import clock
from wherry.access.require import require
from wherry.errors import InvalidInput, NotFound, NothingToDo
from wherry.model import front as rules
from wherry.model.app import App
from wherry.model.front import MAX_ALLOW, MAX_USERS, Front
from wherry.model.user import Actor
from wherry.routing.front import fingerprint, front_of
from wherry.routing.proxy import credential
from wherry.secret import Secret
from wherry.services.platform import Platform
from wherry.store import apps, events, fronts

PATIENCE = 10.0
"""Seconds that a change may take until the proxy has it; usually it is a tenth of one."""
PASSWORD_BYTES = 15
SAME = {"maintenance.started": "is in maintenance already", "maintenance.ended": "is not in maintenance"}


@dataclass(frozen=True)
class Faced:
    """The app after a change. `live` says that visitors meet it already; otherwise the engine takes it up when it runs."""

    app: App
    live: bool


def set_https(
    platform: Platform, actor: Actor, name: str, redirect: str | None = None, hsts: int | None = None, subdomains: bool | None = None
) -> Faced:
    """Sends visitors to HTTPS (`auto`: where a certificate is), and tells browsers to stay there for `hsts` seconds.
    None leaves a value as it is. Raises InvalidInput, NothingToDo."""
    given = {"redirect": redirect, "hsts": hsts, "hsts_subdomains": subdomains}
    wished: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    rules.check_redirect(wished.get("redirect", "auto"))
    rules.check_hsts(wished.get("hsts", 0))
    return change(platform, actor, name, lambda front: replace(front, **wished), "https.changed", **wished)


def set_allowed(platform: Platform, actor: Actor, name: str, addresses: list[str]) -> Faced:
    """Lets in visitors from these addresses and networks only; an empty list lets in everybody. Raises InvalidInput, NothingToDo."""
    networks = _networks(addresses)
    return change(platform, actor, name, lambda front: replace(front, allow=networks), "allow.changed", set=list(networks))


def change_allowed(platform: Platform, actor: Actor, name: str, add: list[str], remove: list[str]) -> Faced:
    """Adds to the list and takes from it. The first entry closes the app to everybody else, taking the last one opens it.
    Raises NotFound for what is to be taken and is not in it."""
    added, removed = _networks(add), _networks(remove)

    def listed(front: Front) -> Front:
        for network in removed:
            if network not in front.allow:
                raise NotFound(f"{name} does not list {network}", code="no_such_address", hint=f"See them with: wherry allow {name}")
        return replace(front, allow=_networks([*(kept for kept in front.allow if kept not in removed), *added]))

    return change(platform, actor, name, listed, "allow.changed", added=list(added), removed=list(removed))


def add_login(platform: Platform, actor: Actor, name: str, user: str, password: str | None = None) -> tuple[Faced, Secret]:
    """Asks visitors for a name and a password from now on; a known name gets another password. Without one it is made."""
    rules.check_user(user)
    secret = Secret(rules.check_password(password) if password is not None else secrets.token_urlsafe(PASSWORD_BYTES))
    salt = secrets.token_hex(16)

    def with_user(front: Front) -> Front:
        made = credential(front.salt or salt, user, secret.reveal())
        users = {**front.users, user: made}
        if len(users) > MAX_USERS:
            raise InvalidInput(f"{len(users)} logins: an app may have up to {MAX_USERS}", field="user")
        return replace(front, salt=front.salt or salt, users=users)

    return change(platform, actor, name, with_user, "login.added", user=user), secret


def remove_login(platform: Platform, actor: Actor, name: str, user: str) -> Faced:
    """Its password opens nothing any more; without the last login nobody is asked. Raises NotFound."""

    def without(front: Front) -> Front:
        if user not in front.users:
            raise NotFound(f"{name} has no login {user[:64]!a}", code="no_such_login", hint=f"See them with: wherry auth {name}")
        users = {kept: secret for kept, secret in front.users.items() if kept != user}
        return replace(front, users=users, salt=front.salt if users else "")

    return change(platform, actor, name, without, "login.removed", user=user)


def set_maintenance(platform: Platform, actor: Actor, name: str, on: bool, page: str | None = None) -> Faced:
    """Visitors get 503 and a page instead of the app, which runs on. `page` is the owner's HTML and is kept for the next
    time; an empty one brings ours back, None leaves it. Raises InvalidInput, NothingToDo."""
    if page:
        rules.check_page(page)
    digest = None if page is None else hashlib.sha256(page.encode()).hexdigest() if page else ""

    def with_page(front: Front) -> Front:
        return replace(front, maintenance=on, page=front.page if digest is None else digest)

    event = "maintenance.started" if on else "maintenance.ended"
    return change(platform, actor, name, with_page, event, page=page, **({"own_page": bool(digest)} if digest is not None else {}))


def page_of(platform: Platform, actor: Actor, name: str) -> str:
    """The owner's maintenance page, empty when it is ours."""
    require(actor, "read", f"look at {name}")
    with platform.database.read() as connection:
        app = apps.get(connection, name)
        return fronts.page(connection, name) if app.front.page else ""


def change(
    platform: Platform, actor: Actor, name: str, changed: Callable[[Front], Front], event: str, *, page: str | None = None, **told: Any
) -> Faced:
    """Writes a front with its event, and waits until the proxy has it. Raises NothingToDo when nothing would change."""
    require(actor, "deploy", f"change how {name} meets visitors")
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        after = changed(app.front)
        if after == app.front:
            raise NothingToDo(f"{name} {SAME.get(event, 'has that already')}; nothing to do")
        fronts.put(connection, app, after)
        if page is not None:
            fronts.put_page(connection, app, page)
        events.add(connection, actor, event, name, clock.now(), **told)
    return faced(platform, replace(app, front=after))


def faced(platform: Platform, app: App) -> Faced:
    """Wakes the engine and waits until the proxy has the app's front, at most PATIENCE; not at all without an engine."""
    heard, end = platform.wake(), clock.monotonic() + PATIENCE
    while not (live := _is_published(platform, app.name)) and heard and clock.monotonic() < end:
        clock.sleep(0.01)
    return Faced(app, live)


def _is_published(platform: Platform, name: str) -> bool:
    """Looks at the app anew: a certificate that came meanwhile is part of its front."""
    with platform.database.read() as connection:
        return fronts.published(connection, name) == fingerprint(front_of(apps.get(connection, name), platform.settings))


def _networks(addresses: list[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(rules.check_network(address) for address in addresses))
    if len(found) > MAX_ALLOW:
        raise InvalidInput(f"{len(found)} addresses: an app may list up to {MAX_ALLOW}", field="addresses")
    return found
