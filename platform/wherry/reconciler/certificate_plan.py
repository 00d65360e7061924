"""Which certificates there should be, and when something is to be done about each. Pure: times come in as text (RFC 3339)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from wherry import clock
from wherry.model.app import App
from wherry.model.certificate import Certificate, Facts, is_public
from wherry.routing.front import hosts_of
from wherry.routing.hosts import covers
from wherry.settings import Settings

WAITS = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""Seconds after each failed order in a row; Let's Encrypt allows five failed proofs per host and hour."""
ASK_SELDOM = timedelta(hours=6)
LIMITED = 3600
"""Seconds to wait at least when the authority says that it was too much."""


@dataclass(frozen=True)
class Plan:
    """`order` are hosts without a row, per app; the rest are rows. `due` are those to order, renew or ask about now."""

    order: tuple[tuple[App, str], ...] = ()
    install: tuple[Certificate, ...] = ()
    expire: tuple[Certificate, ...] = ()
    remove: tuple[Certificate, ...] = ()
    due: tuple[Certificate, ...] = ()


def plan(apps: Sequence[App], rows: Sequence[Certificate], settings: Settings, now: str) -> Plan:
    """What is to be done at this moment."""
    of_app = {app.name: [row for row in rows if row.app == app.name] for app in apps}
    wanted = {(app.name, host) for app in apps for host in wanted_hosts(app, of_app[app.name], settings, now)}
    known = {(row.app, row.name) for row in rows if not _is_over(row)}
    missing = tuple((app, host) for app in apps for host in hosts_of(app, settings) if (app.name, host) in wanted - known)
    useless = tuple(row for app in apps for row in of_app[app.name] if _useless(app, row, of_app[app.name], settings, now, wanted))
    return Plan(
        missing,
        tuple(row for row in rows if row.arrival),
        tuple(row for row in rows if row.state == "active" and row.facts and row.facts.not_after <= now),
        useless,
        tuple(row for row in rows if row.origin == "acme" and (row.app, row.name) in wanted and row.next_try <= now),
    )


def wanted_hosts(app: App, rows: Sequence[Certificate], settings: Settings, now: str) -> list[str]:
    """The app's hosts that a certificate is to be ordered for, or kept in force."""
    if not settings.acme_email or not app.front.certs_auto:
        return []
    hosts = [host for host in hosts_of(app, settings) if is_public(host) and _provable(host, settings)]
    return [host for host in hosts if not _brought(host, rows, now)]


def renewal_time(facts: Facts, advised: str | None, dice: float) -> str:
    """When to renew: as advised, else after two thirds of its life, up to a twentieth earlier. `dice` is 0 to 1."""
    if advised:
        return min(advised, facts.not_after)
    start, end = clock.parse(facts.not_before), clock.parse(facts.not_after)
    return clock.text(start + (end - start) * (2 / 3 - dice / 20))


def next_look(renew_at: str, advised: str | None, ask_again: str, now: str) -> str:
    """When to look at it again: to renew, or to ask for advice where it is given, at most every six hours."""
    soonest = clock.text(clock.parse(now) + ASK_SELDOM)
    return min(renew_at, max(ask_again, soonest)) if advised else renew_at


def wait_after(attempts: int, kind: str, retry_after: int | None, dice: float) -> float:
    """Seconds until the next try after `attempts` failures in a row: never earlier than the authority asks, and spread by a fifth."""
    wait = WAITS[min(attempts, len(WAITS)) - 1] * (0.9 + dice / 5)
    least = max(retry_after or 0, LIMITED if kind == "rateLimited" else 0)
    return max(wait, least * (1 + dice / 5))


def proof_of(host: str, settings: Settings) -> str:
    """How its authority is shown that the host is ours: `dns` or `http`."""
    return "dns" if host.startswith("*.") or settings.acme_challenge == "dns" else "http"


def _provable(host: str, settings: Settings) -> bool:
    return bool(settings.acme_dns_hook) or proof_of(host, settings) == "http"


def _brought(host: str, rows: Sequence[Certificate], now: str) -> bool:
    """Whether a person's own certificate serves this host."""
    own = [row.facts for row in rows if row.origin == "own" and row.state == "active" and row.facts]
    return any(facts.not_after > now and any(covers(name, host) for name in facts.names) for facts in own)


def _is_over(row: Certificate) -> bool:
    """A person's own that has ended, and no successor waits: an automatic one takes its place."""
    return row.origin == "own" and row.state == "expired" and not row.arrival


def _useless(app: App, row: Certificate, rows: Sequence[Certificate], settings: Settings, now: str, wanted: set[tuple[str, str]]) -> bool:
    """A host that is gone needs no certificate, nor does one that a person brought another for. A person's own goes with
    its last host, or when a later one of theirs serves all of its hosts."""
    hosts = hosts_of(app, settings)
    if row.origin == "acme":
        return row.name not in hosts or _brought(row.name, rows, now) or (row.facts is None and (row.app, row.name) not in wanted)
    if row.arrival or row.facts is None:
        return False
    served = [host for host in hosts if any(covers(name, host) for name in row.facts.names)]
    later = [other for other in rows if other.created_at > row.created_at and not other.arrival]
    return all(_brought(host, later, now) for host in served)
