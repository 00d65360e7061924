"""Proves to a certificate authority that a domain is ours: over HTTP by the proxy, over DNS by a program of the owner's."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wherry import command
from wherry import settings as setting
from wherry.errors import Unavailable, WherryError
from wherry.reconciler.outside import Outside
from wherry.routing.certificate_work import Terms

HOOK_SECONDS = 600.0
_KEEPING = threading.Lock()
"""Two first orders at once, one proven over HTTP and one by DNS, both open an account."""


class Proofs:
    """Gives proofs for one order at a time, and keeps the account. The hook is called as
    `HOOK present|cleanup _acme-challenge.shop.example.org VALUE`; exit status 0 says that the record is visible."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self._undo: list[Callable[[], None]] = []

    def terms(self) -> Terms:
        """How the authority of the settings is reached, with the account that is kept for it."""
        settings = self.outside.settings
        try:
            account = json.loads(self._account().read_text("ascii"))
        except (FileNotFoundError, ValueError):
            account = None
        return Terms(settings.acme_directory, settings.acme_ca, settings.acme_email, account)

    def give(self, question: dict[str, Any]) -> None:
        """Does what one question of the child asks for. Raises WherryError when it can not."""
        if "account" in question:
            self._keep(question["account"])
        elif "token" in question:
            self._undo.append(lambda: self.outside.proxy.unprove(question["token"]))
            self.outside.proxy.prove(question["token"], question["proof"])
        else:
            self._undo.append(lambda: self._hook("cleanup", question))
            self._hook("present", question)

    def take_back(self) -> None:
        """Removes all proofs. One that can not be removed is only litter."""
        while self._undo:
            try:
                self._undo.pop()()
            except WherryError:
                continue

    def forget_account(self) -> None:
        """The authority does not know it any more; the next order opens another."""
        self._account().unlink(missing_ok=True)

    def _hook(self, what: str, question: dict[str, Any]) -> None:
        program = self.outside.settings.acme_dns_hook
        if not program:
            raise Unavailable("no DNS hook is set (WHERRY_ACME_DNS_HOOK)", code="certificate_failed")
        if not os.access(program, os.X_OK):
            state = "can not be run: chmod +x it" if Path(program).exists() else "is not there"
            raise Unavailable(f"the DNS hook {program} (WHERRY_ACME_DNS_HOOK) {state}", code="certificate_failed")
        command.run([program, what, question["dns"], question["proof"]], env=setting.network(), timeout=HOOK_SECONDS)

    def _account(self) -> Path:
        """One file per authority."""
        authority = hashlib.sha256(self.outside.settings.acme_directory.encode()).hexdigest()[:16]
        return self.outside.settings.acme / f"{authority}.json"

    def _keep(self, account: dict[str, str]) -> None:
        with _KEEPING:
            self._put(self._account(), account)

    def _put(self, path: Path, account: dict[str, str]) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            json.dump(account, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
