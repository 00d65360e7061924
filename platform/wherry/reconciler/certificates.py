"""Keeps the certificates: takes up what people bring, orders what domains need, renews ahead of time, lets go of the rest.

`look` is quick and belongs to the loop. Orders take their time in threads that are there only while one is due:
one for proofs over HTTP and one for those by DNS, so that a hook that hangs holds up no other domain than those that need it.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

from wherry import clock
from wherry.errors import Unavailable
from wherry.model.app import App
from wherry.model.certificate import Certificate, Facts
from wherry.model.user import PLATFORM
from wherry.reconciler.certificate_plan import Plan, plan, proof_of
from wherry.reconciler.outside import Outside
from wherry.store import apps, certificates, events

LIMITED = "it waits, because the authority had too many orders"
OURS = 900.0
"""Seconds without orders after a fault of our own."""


class Certificates:
    """One per engine process. `woken` is called when the apps' routes have something new to take up."""

    def __init__(self, outside: Outside, woken: Callable[[], None]) -> None:
        self.outside = outside
        self._woken = woken
        self._kept: set[str] | None = None
        self._working = {"http": threading.Lock(), "dns": threading.Lock()}
        self._paused_until = ""
        self._limited = False

    def look(self) -> None:
        """Does what can be done at once, and starts the orders that are due."""
        found = self._plan()
        for app, name in found.order:
            self._begin_with(app, name)
        for row in found.remove:
            self._end(row, "certificate.removed", remove=True)
        for row in found.expire:
            self._end(row, "certificate.expired", remove=False)
        for row in found.install:
            self._install(row)
        self._tidy()
        if self._paused_until <= clock.now():
            for proof in {proof_of(name, self.outside.settings) for name in _names(found)}:
                self._begin(proof)
        elif self._limited:
            self._put_off(self._plan().due)  # those of this look too

    def _plan(self) -> Plan:
        with self.outside.database.read() as connection:
            return plan(apps.every(connection), certificates.every(connection), self.outside.settings, clock.now())

    def _begin_with(self, app: App, name: str) -> None:
        """An app that was destroyed since it was looked at is passed over."""
        with self.outside.database.write() as connection:
            present = apps.find(connection, app.name)
            if present and present.id == app.id:
                certificates.put(connection, app, name, "acme", clock.now(), next_try=clock.now())

    # What people bring

    def _install(self, row: Certificate) -> None:
        """The spool file holds facts and PEM; it goes when the proxy has them, or has refused them."""
        path = self.outside.settings.spool / row.arrival
        try:
            if not re.fullmatch(r"certificate-[0-9a-f]{32}", row.arrival):
                raise ValueError("not a name of ours")
            brought = json.loads(path.read_text("utf-8"))
            facts = Facts(**{**brought["facts"], "names": tuple(brought["facts"]["names"])})
            self.outside.proxy.put_certificate(row.file, brought["pem"])
            self._write(row, facts, state="active", origin="own", arrival="", error="", renew_at="", next_try="", attempts=0)
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._write(row, None, arrival="", error=f"it did not arrive ({type(error).__name__}); add it again")
        except Unavailable as error:
            if error.code != "proxy_refused":
                raise
            self._write(row, None, arrival="", error=error.message)
        path.unlink(missing_ok=True)
        self._woken()

    def _write(self, row: Certificate, facts: Facts | None, **columns: object) -> None:
        with self.outside.database.write() as connection:
            certificates.change(connection, row.id, facts, **columns)

    # What ends

    def _end(self, row: Certificate, event: str, remove: bool) -> None:
        self.outside.proxy.drop_certificate(row.file)
        with self.outside.database.write() as connection:
            if remove:
                certificates.remove(connection, row.id)
            else:
                certificates.change(connection, row.id, state="expired")
            if row.facts:
                events.add(connection, PLATFORM, event, row.app, clock.now(), certificate=row.name, names=list(row.facts.names))

    def _tidy(self) -> None:
        """Files that no row knows go (their app was destroyed); looked for at the start and when the rows have changed."""
        with self.outside.database.read() as connection:
            kept = {row.file for row in certificates.every(connection) if row.state == "active" or row.arrival}
        if kept == self._kept:
            return
        for name in self.outside.proxy.certificates().keys() - kept:
            self.outside.proxy.drop_certificate(name)
        self._kept = kept

    # Orders

    def _put_off(self, due: tuple[Certificate, ...]) -> None:
        """The authority wants no order now, of no domain: whoever looks is told so, and until when."""
        for row in due:
            wanted = row.facts is None or row.state != "active" or row.renew_at <= clock.now()
            self._write(row, None, next_try=self._paused_until, **({"error": LIMITED} if wanted else {}))

    def _begin(self, proof: str) -> None:
        if self._working[proof].acquire(blocking=False):
            threading.Thread(target=self._work, args=(proof,), name=f"certificates-{proof}", daemon=True).start()

    def _work(self, proof: str) -> None:
        """One order after the other until none is due. What became due meanwhile is seen by another look, at once."""
        taken: set[tuple[int, str]] = set()
        try:
            # Loaded with the first order: most engines have none.
            from wherry.reconciler.orders import Orders

            orders = Orders(self.outside, self._woken)
            for row in self._due(proof):
                if self._paused_until > clock.now():
                    break
                taken.add((row.id, row.next_try))
                if limit := orders.take(row):
                    self._paused_until, self._limited = limit, True
        except Exception as error:
            # What can not be written down would be ordered again at every look; authorities count.
            self._paused_until, self._limited = clock.text(clock.parse(clock.now()) + timedelta(seconds=OURS)), False
            print(f"certificates: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            self._working[proof].release()
            if any((row.id, row.next_try) not in taken for row in self._due(proof)):
                self._woken()
            self.outside.database.close()

    def _due(self, proof: str) -> list[Certificate]:
        return [row for row in self._plan().due if proof_of(row.name, self.outside.settings) == proof]


def _names(found: Plan) -> list[str]:
    """What there is to order now."""
    return [name for _, name in found.order] + [row.name for row in found.due]
