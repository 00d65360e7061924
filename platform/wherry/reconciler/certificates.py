"""Keeps the certificates: takes up what people bring, orders what domains need, renews ahead of time, lets go of the rest.

`look` is quick and belongs to the loop. Orders take their time in a thread that is there only while one is due.
"""

from __future__ import annotations

import json
import random
import re
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

from wherry import clock
from wherry.errors import Unavailable, WherryError
from wherry.model.certificate import Certificate, Facts
from wherry.model.user import PLATFORM
from wherry.reconciler.certificate_plan import Plan, next_look, plan, renewal_time, wait_after
from wherry.reconciler.outside import Outside
from wherry.reconciler.proofs import Proofs
from wherry.routing import certificate_work
from wherry.routing.certificate_work import Ordered, OrderFailed
from wherry.store import apps, certificates, events

OURS = 900.0
"""Seconds without orders after a fault of our own."""


class Certificates:
    """One per engine process. `woken` is called when the apps' routes have something new to take up."""

    def __init__(self, outside: Outside, woken: Callable[[], None]) -> None:
        self.outside = outside
        self.proofs = Proofs(outside)
        self._woken = woken
        self._kept: set[str] | None = None
        self._working = threading.Lock()
        self._paused_until = ""

    def look(self) -> None:
        """Does what can be done at once, and starts the orders that are due."""
        found = self._plan()
        for app, name in found.order:
            with self.outside.database.write() as connection:
                certificates.put(connection, app, name, "acme", clock.now(), next_try=clock.now())
        for row in found.remove:
            self._end(row, "certificate.removed", remove=True)
        for row in found.expire:
            self._end(row, "certificate.expired", remove=False)
        for row in found.install:
            self._install(row)
        self._tidy()
        if (found.due or found.order) and self._paused_until <= clock.now():
            self._begin()

    def _plan(self) -> Plan:
        with self.outside.database.read() as connection:
            return plan(apps.every(connection), certificates.every(connection), self.outside.settings, clock.now())

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

    def _begin(self) -> None:
        if self._working.acquire(blocking=False):
            threading.Thread(target=self._work, name="certificates", daemon=True).start()

    def _work(self) -> None:
        """One order after the other until none is due. What is due meanwhile is seen by the next look."""
        try:
            for row in self._plan().due:
                if self._paused_until <= clock.now():
                    self._one(row)
        except Exception as error:
            # What can not be written down would be ordered again at every look; authorities count.
            self._paused_until = _later(OURS)
            print(f"certificates: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            self.outside.database.close()
            self._working.release()

    def _one(self, row: Certificate) -> None:
        try:
            if row.facts and row.state == "active" and clock.now() < row.renew_at:
                self._ask(row, row.facts)
            else:
                self._taken(row, self._order(row))
        except OrderFailed as failure:
            self._failed(row, failure)
        except WherryError as error:
            self._failed(row, OrderFailed(error.message))

    def _order(self, row: Certificate) -> Ordered:
        by_dns = row.name.startswith("*.") or self.outside.settings.acme_challenge == "dns"
        try:
            return certificate_work.order(self.proofs.terms(), row.name, "dns" if by_dns else "http", self.proofs.give)
        finally:
            self.proofs.take_back()

    def _taken(self, row: Certificate, ordered: Ordered) -> None:
        """The proxy first: a row that says `active` is one that visitors see."""
        facts = ordered.bundle.facts
        if not self._still_wished(row):
            return
        self.outside.proxy.put_certificate(row.file, ordered.bundle.pem)
        renew_at = renewal_time(facts, ordered.renew_at, random.random())
        next_try = next_look(renew_at, ordered.renew_at, ordered.ask_again, clock.now())
        what = "certificate.renewed" if row.facts else "certificate.issued"
        with self.outside.database.write() as connection:
            certificates.change(connection, row.id, facts, state="active", renew_at=renew_at, next_try=next_try, attempts=0, error="")
            told = {"certificate": row.name, "names": list(facts.names), "issuer": facts.issuer, "not_after": facts.not_after}
            events.add(connection, PLATFORM, what, row.app, clock.now(), **told)
        self.outside.platform_line(row.app, "certificates", f"{row.name}: signed by {facts.issuer}, until {facts.not_after[:10]}")
        self._woken()

    def _still_wished(self, row: Certificate) -> bool:
        with self.outside.database.read() as connection:
            present = next((present for present in certificates.every(connection, row.app) if present.id == row.id), None)
        return present is not None and present.origin == "acme" and not present.arrival

    def _ask(self, row: Certificate, facts: Facts) -> None:
        """The authority may wish an earlier renewal, because it must revoke."""
        advised, ask_again = certificate_work.renewal(self.proofs.terms(), self.outside.proxy.certificate(row.file))
        renew_at = renewal_time(facts, advised, random.random()) if advised else row.renew_at
        self._write(row, None, renew_at=renew_at, next_try=next_look(renew_at, advised, ask_again, clock.now()))

    def _failed(self, row: Certificate, failure: OrderFailed) -> None:
        """Told once per reason; tried again after a growing wait. What is in force stays so."""
        if failure.kind == "accountDoesNotExist":
            self.proofs.forget_account()
        wait = wait_after(row.attempts + 1, failure.kind, failure.retry_after, random.random())
        again = _later(wait)
        if failure.kind == "rateLimited":
            self._paused_until = again
        with self.outside.database.write() as connection:
            certificates.change(connection, row.id, error=failure.message, attempts=row.attempts + 1, next_try=again)
            if failure.message != row.error:
                told = {"certificate": row.name, "error": failure.message, "next_try": again}
                events.add(connection, PLATFORM, "certificate.failed", row.app, clock.now(), **told)
        self.outside.platform_line(row.app, "certificates", f"{row.name}: {failure.message}; next try in {wait / 60:.0f} min")


def _later(seconds: float) -> str:
    return clock.text(clock.parse(clock.now()) + timedelta(seconds=seconds))
