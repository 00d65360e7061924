"""`wherry drains …`: where an app's log is sent."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput, NotFound
from wherry.faces.cli.client import segment
from wherry.faces.cli.render import elapsed, printable
from wherry.faces.cli.session import Session


def every(session: Session) -> int:
    document = session.api.get(session.app_path("/drains"))
    if not document["drains"]:
        return session.show(document, f"{printable(session.given.app)} has no drains; its log stays here")
    rows = [[drain["token"], drain["url"], _state(drain)] for drain in document["drains"]]
    return session.show(document, session.table(rows, ("DRAIN", "TO", "STATE")))


def add(session: Session) -> int:
    drain = session.api.send("POST", session.app_path("/drains"), {"url": session.given.word("URL")})
    return session.show(drain, f"{drain['app']} drains to {printable(drain['url'])} from now on, as {drain['token']}")


def remove(session: Session) -> int:
    token = _token(session, session.given.word("DRAIN"))
    session.api.send("DELETE", session.app_path(f"/drains/{segment(token)}"))
    return session.show({"removed": token}, f"{printable(session.given.app)} drains there no longer")


def _token(session: Session, which: str) -> str:
    """An address is looked up here: with what is secret in it, it does not belong into a path."""
    from wherry.model.drain import SPELLINGS, shown

    scheme, sign, rest = which.partition("://")
    masked = shown(f"{SPELLINGS.get(scheme, scheme)}{sign}{rest}")
    listed = session.api.get(session.app_path("/drains"))["drains"]
    found = [drain["token"] for drain in listed if which == drain["token"] or masked == drain["url"] or which == drain["url"]]
    if not found:
        app = printable(session.given.app)
        raise NotFound(f"{app} has no such drain", code="no_such_drain", hint=f"See them with: wherry drains {app}")
    if len(found) > 1:
        raise InvalidInput(f"that fits {len(found)} drains: name one by its token, e.g. {found[0]}", field="drain")
    return str(found[0])


def _state(drain: dict[str, Any]) -> str:
    if drain["state"] == "sending":
        return "sending"
    return f"failing for {elapsed(drain['since'])}: {printable(drain['detail'])}"
