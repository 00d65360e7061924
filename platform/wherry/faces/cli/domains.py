"""`wherry domains …`: where apps answer."""

from __future__ import annotations

from typing import Any

from wherry.faces.cli.render import printable
from wherry.faces.cli.session import Session


def show(session: Session) -> int:
    app = session.given.maybe("APP")
    document = session.api.get(session.app_path("/domains") if app else "/api/domains")
    rows = [[_name(domain), domain["app"], _https(domain), "default" if domain["default"] else ""] for domain in document["domains"]]
    empty = (
        f"{printable(app)} has no domain; add one: wherry domains:add {printable(app)} shop.example.org" if app else "no app has a domain"
    )
    return session.show(document, session.table(rows, ("DOMAIN", "APP", "HTTPS", "")) if rows else empty)


def add(session: Session) -> int:
    return _told(session, session.api.send("PATCH", session.app_path("/domains"), {"add": session.given.many("DOMAIN")}))


def remove(session: Session) -> int:
    return _told(session, session.api.send("PATCH", session.app_path("/domains"), {"remove": session.given.many("DOMAIN")}))


def set_all(session: Session) -> int:
    return _told(session, session.api.send("PUT", session.app_path("/domains"), {"hosts": session.given.many("DOMAIN")}))


def _told(session: Session, document: dict[str, Any]) -> int:
    if "domains" not in document:
        return session.show(document, printable(str(document["message"])))
    hosts = ", ".join(printable(_name(domain)) for domain in document["domains"])
    app = printable(session.given.app)
    words = f"{app} answers at {hosts}" if hosts else f"{app} answers at no domain now; add one: wherry domains:add {app} shop.example.org"
    return session.show(document, f"{words}{'' if document['live'] else LATER}")


LATER = "; visitors meet it when the platform's engine has taken it up (wherry ps says whether it runs)"


def _name(domain: dict[str, Any]) -> str:
    """As people write it, and beside it what browsers ask for where that differs. An older platform tells the latter alone."""
    host = str(domain["host"])
    spelt = str(domain.get("readable", host))
    return host if spelt == host else f"{spelt} ({host})"


def _https(domain: dict[str, Any]) -> str:
    if domain["secure"]:
        return "always"
    return "offered" if domain["certified"] else "-"
