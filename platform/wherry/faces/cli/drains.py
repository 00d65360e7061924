"""`wherry drains …`: where an app's log is sent."""

from __future__ import annotations

from typing import Any

from wherry.faces.cli.client import segment
from wherry.faces.cli.render import ago, printable
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
    which = session.given.word("DRAIN")
    listed = session.api.get(session.app_path("/drains"))["drains"]
    token = next((drain["token"] for drain in listed if which in (drain["token"], drain["url"])), which)
    session.api.send("DELETE", session.app_path(f"/drains/{segment(token)}"))
    return session.show({"removed": token}, f"{printable(session.given.app)} drains there no longer")


def _state(drain: dict[str, Any]) -> str:
    if drain["state"] == "sending":
        return "sending"
    return f"failing since {ago(drain['since'])}: {printable(drain['detail'])}"
