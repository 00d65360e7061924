"""One certificate ordered, renewed or asked about at its authority, and how that went: in the proxy, the database, the app's log."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from wherry import clock
from wherry.errors import WherryError
from wherry.model.certificate import Certificate, Facts
from wherry.model.user import PLATFORM
from wherry.reconciler.certificate_plan import next_look, proof_of, renewal_time, wait_after
from wherry.reconciler.outside import Outside
from wherry.reconciler.proofs import Proofs
from wherry.routing import certificate_work
from wherry.routing.certificate_work import Ordered, OrderFailed
from wherry.store import certificates, events


class Orders:
    """`woken` is called when a certificate is in force that was not before."""

    def __init__(self, outside: Outside, woken: Callable[[], None]) -> None:
        self.outside = outside
        self.proofs = Proofs(outside)
        self._woken = woken

    def take(self, row: Certificate) -> str | None:
        """Orders, renews or asks about one. Returns the time until which the authority wants no order at all, or None."""
        try:
            if row.facts and row.state == "active" and clock.now() < row.renew_at:
                self._ask(row, row.facts)
            else:
                self._taken(row, self._order(row))
        except OrderFailed as failure:
            return self._failed(row, failure)
        except WherryError as error:
            return self._failed(row, OrderFailed(error.message))
        return None

    def _order(self, row: Certificate) -> Ordered:
        try:
            return certificate_work.order(self.proofs.terms(), row.name, proof_of(row.name, self.outside.settings), self.proofs.give)
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
        next_try = next_look(renew_at, advised, ask_again, clock.now())
        with self.outside.database.write() as connection:
            certificates.change(connection, row.id, renew_at=renew_at, next_try=next_try, attempts=0, error="")

    def _failed(self, row: Certificate, failure: OrderFailed) -> str | None:
        """Told once per reason; tried again after a growing wait. What is in force stays so."""
        if failure.kind == "accountDoesNotExist":
            self.proofs.forget_account()
        wait = wait_after(row.attempts + 1, failure.kind, failure.retry_after, random.random())
        again = clock.text(clock.parse(clock.now()) + timedelta(seconds=wait))
        with self.outside.database.write() as connection:
            certificates.change(connection, row.id, error=failure.message, attempts=row.attempts + 1, next_try=again)
            if failure.message != row.error:
                told = {"certificate": row.name, "error": failure.message, "next_try": again}
                events.add(connection, PLATFORM, "certificate.failed", row.app, clock.now(), **told)
        what = failure.message.removeprefix(f"{row.name}: ")
        self.outside.platform_line(row.app, "certificates", f"{row.name}: {what}; next try in {wait / 60:.0f} min")
        return again if failure.kind == "rateLimited" else None
