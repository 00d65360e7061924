"""What a person can do with certificates: bring their own, look, remove, ask for a new one, switch the automatic ones."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, NamedTuple

from wherry import clock
from wherry.access.require import require
from wherry.errors import Conflict, InvalidInput, NothingToDo
from wherry.model.app import App
from wherry.model.certificate import Certificate, is_public
from wherry.model.user import Actor
from wherry.routing.front import hosts_of
from wherry.routing.hosts import covers
from wherry.services import fronts
from wherry.services.fronts import Faced
from wherry.services.platform import Platform
from wherry.store import apps, certificates, domains, events
from wherry.store.database import Connection

if TYPE_CHECKING:
    from wherry.routing.certificate_work import Bundle

PATIENCE = 10.0
SOON = "about to be ordered"


class Shown(NamedTuple):
    """A certificate, or a host of the app that has none: then `row` is None and `reason` says why."""

    name: str
    row: Certificate | None
    reason: str = ""


def of_app(platform: Platform, actor: Actor, name: str) -> list[Shown]:
    """The certificates of the app, and its hosts without one."""
    require(actor, "read", f"look at {name}")
    with platform.database.read() as connection:
        app, rows = apps.get(connection, name), certificates.every(connection, name)
    covered = [known for row in rows for known in (row.name, *(row.facts.names if row.facts else ()))]
    bare = [host for host in hosts_of(app, platform.settings) if not any(covers(known, host) for known in covered)]
    return [*(Shown(row.name, row) for row in rows), *(Shown(host, None, _why_none(platform, app, host) or SOON) for host in bare)]


def get(platform: Platform, actor: Actor, name: str, certificate: str) -> Certificate:
    """Raises NotFound."""
    require(actor, "read", f"look at {name}")
    with platform.database.read() as connection:
        apps.get(connection, name)
        return certificates.get(connection, name, certificate)


def add(platform: Platform, actor: Actor, name: str, pem: str) -> tuple[Certificate, bool]:
    """Serves the app's domains with a certificate that a person brings: `pem` holds it, its chain and its key, in any order.

    Returns it and whether visitors are shown it already. Raises InvalidInput that says what is wrong with it.
    """
    from wherry.routing import certificate_work

    require(actor, "deploy", f"change the certificates of {name}")
    with platform.database.read() as connection:
        app = apps.get(connection, name)
    bundle = certificate_work.inspect(pem)
    arrival = _spool(platform, bundle)
    with platform.database.write() as connection:
        row = _put(platform, connection, app, bundle, arrival)
        told = {
            "certificate": row.name,
            "names": list(bundle.facts.names),
            "issuer": bundle.facts.issuer,
            "not_after": bundle.facts.not_after,
        }
        events.add(connection, actor, "certificate.added", name, clock.now(), **told)
    return _arrived(platform, actor, row, bundle)


def remove(platform: Platform, actor: Actor, name: str, certificate: str) -> Certificate:
    """A person's own goes for good. One of ours is let go too, and ordered again unless the automatic ones are off."""
    require(actor, "deploy", f"change the certificates of {name}")
    row = get(platform, actor, name, certificate)
    with platform.database.write() as connection:
        certificates.remove(connection, row.id)
        events.add(connection, actor, "certificate.removed", name, clock.now(), certificate=row.name)
    platform.wake()
    return row


def renew(platform: Platform, actor: Actor, name: str, certificate: str) -> Certificate:
    """Orders a new one now, whatever the next try was. Raises Conflict for a person's own, which only they can renew, and
    for a domain that nothing is ordered for."""
    require(actor, "deploy", f"change the certificates of {name}")
    _check_orderable(platform, name, certificate)
    row = get(platform, actor, name, certificate)
    if row.origin == "own":
        raise Conflict(
            f"{row.name} was brought by a person", hint=f"Bring the new one: wherry certs:add {name} CERT KEY", code="own_certificate"
        )
    with platform.database.write() as connection:
        certificates.change(connection, row.id, next_try=clock.now(), renew_at=clock.now(), attempts=0)
        events.add(connection, actor, "certificate.requested", name, clock.now(), certificate=row.name)
    platform.wake()
    return get(platform, actor, name, certificate)


def set_auto(platform: Platform, actor: Actor, name: str, on: bool) -> Faced:
    """Whether the platform orders certificates for the app. Those that are there stay until they end."""
    try:
        return fronts.change(platform, actor, name, lambda front: replace(front, certs_auto=on), "certificates.switched", auto=on)
    except NothingToDo as error:
        raise NothingToDo(f"automatic certificates of {name} are {'on' if on else 'off'} already; nothing to do") from error


def _check_orderable(platform: Platform, name: str, host: str) -> None:
    with platform.database.read() as connection:
        app, rows = apps.get(connection, name), certificates.every(connection, name)
    own = any(row.origin == "own" and row.name == host for row in rows)
    reason = _why_none(platform, app, host)
    if host in hosts_of(app, platform.settings) and reason and not own:
        raise Conflict(f"{host}: {reason}", code="not_ordered", hint=f"See its certificates with: wherry certs {name}")


def _put(platform: Platform, connection: Connection, app: App, bundle: Bundle, arrival: str) -> Certificate:
    """The row that waits for the engine. What it replaces serves on until then."""
    names = bundle.facts.names
    served = [host for host in hosts_of(app, platform.settings) if any(covers(name, host) for name in names)]
    if not served:
        listed = ", ".join(names[:5])
        raise InvalidInput(
            f"the certificate is for {listed}; {app.name} has no such domain",
            hint=f"Add it first: wherry domains:add {app.name} {names[0]}",
            field="pem",
            code="bad_certificate",
        )
    _check_others(connection, app, names)
    present = next((row for row in certificates.every(connection, app.name) if row.name == served[0]), None)
    if present is None:
        return certificates.put(connection, app, served[0], "own", clock.now(), arrival=arrival)
    certificates.change(connection, present.id, arrival=arrival, error="", created_at=clock.now())
    return certificates.get(connection, app.name, served[0])


def _check_others(connection: Connection, app: App, names: tuple[str, ...]) -> None:
    for name in names:
        owner = domains.owner(connection, name)
        if owner not in (None, app.name):
            raise Conflict(
                f"the certificate is also for {name}, a domain of {owner}", code="domain_taken", hint="Order one without that name."
            )


def _spool(platform: Platform, bundle: Bundle) -> str:
    """Hands the key to the engine by a file that nobody else may read; the name is a secret of the database."""
    path = platform.settings.spool / f"certificate-{secrets.token_hex(16)}"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({"facts": asdict(bundle.facts), "pem": bundle.pem}, file)
        file.flush()
        os.fsync(file.fileno())
    return path.name


def _arrived(platform: Platform, actor: Actor, row: Certificate, bundle: Bundle) -> tuple[Certificate, bool]:
    heard, end = platform.wake(), clock.monotonic() + PATIENCE
    while (now := get(platform, actor, row.app, row.name)).arrival and heard and clock.monotonic() < end:
        clock.sleep(0.01)
    if now.error and not now.arrival:
        if now.facts is None:
            remove(platform, actor, row.app, row.name)
        raise InvalidInput(f"certificate: {now.error}", field="pem", code="bad_certificate")
    return now, bool(now.facts and now.facts.fingerprint == bundle.facts.fingerprint)


def _why_none(platform: Platform, app: App, host: str) -> str:
    """Why no certificate is ordered for the host; empty when one is."""
    settings = platform.settings
    if not is_public(host):
        return "a private name, which no public authority signs"
    if not settings.acme_email:
        return "no certificates are ordered here until WHERRY_ACME_EMAIL is set"
    if not app.front.certs_auto:
        return f"automatic certificates are off (wherry certs:auto {app.name} on)"
    if (host.startswith("*.") or settings.acme_challenge == "dns") and not settings.acme_dns_hook:
        return "it takes a DNS hook (WHERRY_ACME_DNS_HOOK)"
    return ""
