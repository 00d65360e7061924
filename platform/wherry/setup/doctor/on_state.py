"""Does what the platform knows agree with itself and with Docker: database, containers, operations, logs, certificates, names."""

from __future__ import annotations

import shlex
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from wherry import clock
from wherry.errors import Unavailable
from wherry.model.app import App
from wherry.model.certificate import Certificate, is_public
from wherry.model.instance import Instance
from wherry.model.log_settings import MB
from wherry.model.operation import Operation
from wherry.running import labels
from wherry.settings import Settings
from wherry.setup import engine_api, machine
from wherry.setup.doctor.finding import Finding, fail, ok, warn
from wherry.store import apps, builds, certificates, instances, log_settings, operations
from wherry.store.database import Database, migrations

LATE = timedelta(hours=1)
WAITS = timedelta(minutes=1)
EXPIRES_SOON = timedelta(days=7)
MOST_NAMES = 50
LOOK_UP_SECONDS = 5.0


@dataclass(frozen=True)
class State:
    """What the database says. `log_sizes` are the MB that apps wish for their logs, None where they have no word of their own."""

    apps: list[App]
    images: set[str]
    operations: list[Operation]
    certificates: list[Certificate]
    instances: list[Instance]
    log_sizes: dict[str, int | None]


def read(settings: Settings) -> State:
    """Raises Unavailable when there is no database."""
    if not settings.database.exists():
        raise Unavailable("there is no database yet", hint="Set the platform up: sudo scripts/up")
    with Database(settings.database).read() as connection:
        return State(
            apps.every(connection),
            builds.images(connection),
            operations.unfinished(connection),
            certificates.every(connection),
            instances.every(connection),
            {name: wished.max_size for name, wished in log_settings.every(connection).items()},
        )


def database(settings: Settings) -> Iterator[Finding]:
    if not settings.database.exists():
        yield fail("database", "there is none", "Set the platform up: sudo scripts/up, or put a copy back")
        return
    made = Database(settings.database)
    wrong = made.faults()
    if wrong:
        copies = f"Stop the platform and put a copy back: {settings.database.parent}/"
        yield fail("database", f"it is damaged: {wrong[0][:120]}", copies)
    else:
        yield ok("database", f"whole, {settings.database.stat().st_size / 1e6:.1f} MB")
        yield from _key(made)
    newest = migrations()[-1][0]
    if made.version() != newest:
        yield fail("database", f"its form is {made.version()}, this version wants {newest}", "Bring it up to date: sudo scripts/up")


def _key(made: Database) -> Iterator[Finding]:
    """What is sealed in the database opens with the key that is there."""
    try:
        with made.read() as connection:
            apps.every(connection)
        if made.key.is_changing:
            yield warn("key", f"{made.key.path} holds two keys: a change was cut short", "Finish it: sudo wherry secrets:rotate")
        yield ok("key", f"{made.key.path} opens what is sealed; keep a copy of it apart from the database")
    except Unavailable as error:
        yield fail("key", error.message, error.hint)


def containers(settings: Settings, state: State) -> Iterator[Finding]:
    """The labels on containers are the second copy of the truth."""
    known = {app.name for app in state.apps}
    found = engine_api.labelled("containers", f"{labels.PLATFORM}={settings.name}")
    orphans = [row for row in found if row["Labels"].get(labels.APP) not in known]
    of_apps = [row for row in found if row not in orphans and row["Labels"].get(labels.KIND) == labels.INSTANCE]
    strange = [row for row in of_apps if row["Labels"].get(labels.IMAGE, "") not in state.images]
    ids = {row["Id"] for row in found}
    gone = [row for row in state.instances if row.container and row.state != "crashed" and row.container not in ids]
    networks = engine_api.labelled("networks", f"{labels.PLATFORM}={settings.name}")
    lost = [row["Name"] for row in networks if (row.get("Labels") or {}).get(labels.APP) not in known]
    for row in orphans:
        fix = f"The engine removes it when it runs; or: docker rm -f {_name(row)}"
        yield warn("orphans", f"container {_name(row)} belongs to no app", fix)
    for name in lost:
        yield warn("orphans", f"network {name} belongs to no app", f"docker network rm {name}")
    for row in strange:
        app = row["Labels"][labels.APP]
        yield fail("containers", f"{_name(row)} runs an image that no release has", f"Start fresh ones: wherry ps:restart {app}")
    for instance in gone[:5]:
        what = f"{instance.name} of {instance.app} is on record, and its container is gone"
        yield warn("containers", what, f"Start it afresh: wherry ps:restart {instance.app}")
    if not (orphans or lost or strange or gone):
        yield ok("containers", f"all {len(found)} agree with the database")


def _name(row: dict[str, object]) -> str:
    names = row.get("Names")
    return str(names[0]).lstrip("/") if isinstance(names, list) and names else str(row["Id"])[:12]


def work(state: State) -> Iterator[Finding]:
    """Operations that neither end nor begin."""
    now = clock.parse(clock.now())
    busy = {one.app for one in state.operations if one.state == "running"}
    stuck = [one for one in state.operations if one.state == "running" and now - clock.parse(one.started_at or one.created_at) > LATE]
    queued = [one for one in state.operations if one.state == "queued" and one.app not in busy]
    ignored = [one for one in queued if now - clock.parse(one.created_at) > WAITS]
    for one in stuck:
        what = f"{one.kind} of {one.app or 'the platform'} (operation {one.id}) runs for over an hour"
        yield warn("operations", what, f"End it: wherry operations:cancel {one.id}")
    if ignored:
        fix = "The engine does not work: see its log, then sudo scripts/up"
        yield fail("operations", f"{len(ignored)} wait and nobody takes them up", fix)
    if not stuck and not ignored:
        others = [one for one in state.operations if one.kind != "doctor"]
        waiting = sum(one.state == "queued" for one in others)
        yield ok("operations", f"{len(others) - waiting} under way, {waiting} waiting")


def crashes(state: State) -> Iterator[Finding]:
    for row in state.instances:
        if row.state == "crashed":
            fix = f"Its last lines: wherry logs {row.app} -p {row.name}"
            yield warn("apps", f"{row.name} of {row.app} crashed: {row.detail[:160]}", fix)
    if not any(row.state == "crashed" for row in state.instances):
        yield ok("apps", f"{len(state.apps)} known, no instance crashed")


def logs(settings: Settings, state: State) -> Iterator[Finding]:
    size = sum(path.stat().st_size for path in settings.app_logs.rglob("*") if path.is_file())
    most = MB * max(settings.log_size, sum(state.log_sizes.get(app.name) or settings.log_size for app in state.apps))
    told = f"{size / 1e6:.1f} MB of at most {most / 1e6:.0f} MB"
    own = settings.platform_log.stat().st_size if settings.platform_log.exists() else 0
    yield ok("logs", told) if size <= 1.2 * most else warn("logs", f"{told}: more than they should take", f"Look in {settings.app_logs}")
    if own > 100_000_000:
        yield warn("logs", f"the platform's own log has {own / 1e6:.0f} MB", f"Empty it: truncate -s 0 {settings.platform_log}")


def certificates_of(state: State) -> Iterator[Finding]:
    soon = clock.text(clock.parse(clock.now()) + EXPIRES_SOON)
    wrong = 0
    for row in state.certificates:
        ends = row.facts.not_after if row.facts else ""
        who = f"{row.name} of {row.app}"
        if ends and ends <= clock.now():
            wrong += 1
            yield fail("certificates", f"that for {who} expired on {ends[:10]}", _renewal(row))
        elif ends and ends <= soon:
            wrong += 1
            yield warn("certificates", f"that for {who} ends on {ends[:10]}{': ' + row.error if row.error else ''}", _renewal(row))
        elif row.error:
            wrong += 1
            yield warn("certificates", f"that for {who} could not be ordered: {row.error[:160]}", _renewal(row))
    if not wrong:
        yield ok("certificates", f"{len(state.certificates)}, none near its end")


def _renewal(row: Certificate) -> str:
    own = row.origin == "own"
    return (
        f"Bring a new one: wherry certs:add {row.app} CERT KEY" if own else f"Try now: wherry certs:renew {row.app} {shlex.quote(row.name)}"
    )


def names(settings: Settings, state: State) -> Iterator[Finding]:
    """Do the domains of the apps point here? Behind a router nobody can tell, so then they only have to point somewhere."""
    hosts = [(app.name, host) for app in state.apps for host in app.domains if is_public(host)][:MOST_NAMES]
    if is_public(settings.domain):
        hosts.append(("the platform", f"doctor.{settings.domain}"))
    here, wrong, bare = machine.public_address(), 0, []
    for (app, host), found in zip(hosts, _addresses([host.replace("*", "doctor", 1) for _, host in hosts]), strict=True):
        if not found:
            bare.append(f"{host} ({app})")
        elif here and here not in found:
            wrong += 1
            what = f"{host} ({app}) points to {', '.join(sorted(found)[:3])}, not here"
            yield warn("names", what, f"Point it to {here}, unless a proxy stands before us")
    if bare:
        yield _without_address(bare, here or "your address")
    if not wrong and not bare:
        yield ok("names", f"{len(hosts)} looked up" if hosts else "no public domain to look up")


def _without_address(bare: list[str], here: str) -> Finding:
    """All of them are one finding: they have one cause more often than not."""
    host = bare[0].partition(" ")[0]
    if len(bare) == 1:
        return warn("names", f"{bare[0]} has no address", f"Add a DNS record: {host} A {here}")
    rest = f" and {len(bare) - 3} more" if len(bare) > 3 else ""
    told = f"{len(bare)} domains have no address: {', '.join(bare[:3])}{rest}"
    return warn("names", told, f"Add a DNS record for each, e.g. {host} A {here}")


def _addresses(hosts: list[str]) -> list[set[str]]:
    """What each resolves to; the resolver may hang, so nobody waits longer than LOOK_UP_SECONDS for all of them."""
    found: list[set[str]] = [set() for _ in hosts]
    threads = [threading.Thread(target=_look_up, args=(host, place), daemon=True) for host, place in zip(hosts, found, strict=True)]
    for thread in threads:
        thread.start()
    end = clock.monotonic() + LOOK_UP_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - clock.monotonic()))
    return [set(place) for place in found]


def _look_up(host: str, into: set[str]) -> None:
    try:
        into.update(str(row[4][0]) for row in socket.getaddrinfo(host, None))
    except OSError:
        return
