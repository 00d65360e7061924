"""Certificates read and ordered, by a child process for each: here are its start, its deadline and the answers to its questions."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wherry import command
from wherry import settings as setting
from wherry.errors import InvalidInput, Unavailable, WherryError
from wherry.model.certificate import Facts
from wherry.settings import source_root

PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from wherry.routing.certificate_child import main; main()"
INSPECT_SECONDS, ORDER_SECONDS = 20.0, 900.0
Answers = Callable[[dict[str, Any]], None]
"""Gives the proof that a question asks for; raises WherryError when it can not."""


@dataclass(frozen=True)
class Bundle:
    """A checked certificate with chain and key. `pem` holds the secret."""

    facts: Facts
    pem: str


@dataclass(frozen=True)
class Ordered:
    """A new certificate. `renew_at` is what its authority advises (None: nothing), `ask_again` when to ask for advice next."""

    bundle: Bundle
    renew_at: str | None
    ask_again: str


@dataclass(frozen=True)
class Terms:
    """How an authority is reached: the account is `{"key": PEM, "uri": …}` or None before there is one."""

    directory: str
    ca: str
    email: str
    account: dict[str, str] | None

    def wish(self, what: str, **more: str) -> dict[str, Any]:
        return {"do": what, "directory": self.directory, "ca": self.ca, "email": self.email, "account": self.account, **more}


class OrderFailed(Unavailable):
    """The authority gave no certificate. `kind` is ACME's word; `retry_after` are the seconds that it asks for, or None."""

    default_code = "certificate_failed"

    def __init__(self, message: str, kind: str = "", retry_after: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after


def inspect(bundle: str) -> Bundle:
    """Raises InvalidInput that says what is wrong with certificate, chain or key."""
    told = _run({"do": "inspect", "bundle": bundle}, INSPECT_SECONDS, _nothing)
    failed = told.get("failed")
    if failed:
        raise InvalidInput(f"certificate: {failed['message']}", hint=failed.get("hint", ""), field="pem", code="bad_certificate")
    return _bundle(told["done"])


def order(terms: Terms, name: str, challenge: str, answers: Answers) -> Ordered:
    """Blocks, for seconds to minutes, until the authority has signed for `name`. `challenge` is `http` or `dns`.

    `answers` is called with `{"account": …}` to keep, `{"token": …, "proof": …}` or `{"dns": host, "proof": …}`. Raises OrderFailed.
    """
    done = _ordered(_run(terms.wish("order", name=name, challenge=challenge), ORDER_SECONDS, answers))
    return Ordered(_bundle(done), done["renew_at"], done["ask_again"])


def renewal(terms: Terms, pem: str) -> tuple[str | None, str]:
    """When the authority advises to renew this certificate, None when it does not say, and when to ask again. Raises OrderFailed."""
    done = _ordered(_run(terms.wish("renewal", pem=pem), INSPECT_SECONDS * 3, _nothing))
    return done["renew_at"], done["ask_again"]


def _ordered(told: dict[str, Any]) -> dict[str, Any]:
    failed = told.get("failed")
    if failed:
        raise OrderFailed(failed["message"], failed.get("kind", ""), failed.get("retry_after"))
    done: dict[str, Any] = told["done"]
    return done


def _bundle(done: dict[str, Any]) -> Bundle:
    facts = done["facts"]
    return Bundle(Facts(**{**facts, "names": tuple(facts["names"])}), done["pem"])


def _nothing(question: dict[str, Any]) -> None:
    raise Unavailable("a question that nobody answers", code="internal")


def _run(wish: dict[str, Any], seconds: float, answers: Answers) -> dict[str, Any]:
    """Lets one child work, and answers its questions until it is done. Its last words are `done` or `failed`."""
    argv = [sys.executable, "-I", "-c", PROGRAM, str(source_root() / "platform")]
    child = command.spawn(argv, env=setting.network(), stdin=command.PIPE, stdout=command.PIPE, stderr=command.PIPE, user=_account())
    watch = threading.Timer(seconds, child.kill)
    watch.start()
    try:
        return _converse(child, wish, answers)
    finally:
        watch.cancel()
        child.kill()
        child.communicate()


def _converse(child: Any, wish: dict[str, Any], answers: Answers) -> dict[str, Any]:
    try:
        _tell(child, wish)
        for line in child.stdout:
            told: dict[str, Any] = json.loads(line)
            if "done" in told or "failed" in told:
                return told
            _tell(child, _answer(told, answers))
    except BrokenPipeError:
        pass
    except ValueError as error:
        raise Unavailable("the certificate child said something odd", code="certificate_failed") from error
    raise Unavailable(f"the certificate child ended early: {_last_words(child)}", code="certificate_failed")


def _answer(question: dict[str, Any], answers: Answers) -> dict[str, str]:
    try:
        answers(question)
    except WherryError as error:
        return {"failed": str(error)}
    return {}


def _tell(child: Any, document: dict[str, Any]) -> None:
    child.stdin.write(json.dumps(document).encode() + b"\n")
    child.stdin.flush()


def _last_words(child: Any) -> str:
    child.kill()
    lines = (child.stderr.read() if child.stderr else b"").decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else "it took too long"


def _account() -> str:
    """HAProxy's own, which holds the same secrets; none where that could not read the code."""
    # Only root gives up rights; the API, which only inspects, is spared the memory of this import.
    if os.geteuid():
        return ""
    from wherry.routing.haproxy_config import ACCOUNT, service_account

    open_to_all = all(_is_open(Path(path)) for path in (sys.executable, str(source_root())))
    return ACCOUNT if service_account() and open_to_all else ""


def _is_open(path: Path) -> bool:
    resolved = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in resolved.parents) and os.access(resolved, os.R_OK)
