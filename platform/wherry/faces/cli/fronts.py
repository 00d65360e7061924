"""`wherry https`, `allow`, `auth` and `maintenance`: how an app meets its visitors."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput
from wherry.faces.cli.client import segment
from wherry.faces.cli.domains import LATER
from wherry.faces.cli.files import content, text
from wherry.faces.cli.render import printable, quoted
from wherry.faces.cli.session import Session

DAY = 86_400
LARGEST_PAGE, LARGEST_PASSWORD = 64 * 1024, 1024


def https(session: Session) -> int:
    wished = _https_wish(session)
    path = session.app_path("/https")
    document = session.api.send("PATCH", path, wished) if wished else session.api.get(path)
    return _told(session, document, lambda: _https_words(session, document))


def allowed(session: Session) -> int:
    document = session.api.get(session.app_path("/allow"))
    return session.show(document, "\n".join(document["addresses"]) or f"{printable(session.given.app)} lets in everybody")


def allow_add(session: Session) -> int:
    return _listed(session, session.api.send("PATCH", session.app_path("/allow"), {"add": session.given.many("ADDRESS")}))


def allow_remove(session: Session) -> int:
    return _listed(session, session.api.send("PATCH", session.app_path("/allow"), {"remove": session.given.many("ADDRESS")}))


def logins(session: Session) -> int:
    document = session.api.get(session.app_path("/logins"))
    return session.show(document, "\n".join(document["logins"]) or f"{printable(session.given.app)} asks nobody for a password")


def auth_add(session: Session) -> int:
    body: dict[str, Any] = {"user": session.given.word("NAME")}
    if "--password" in session.given.options:
        raw = content(session, None, LARGEST_PASSWORD, "give the password on standard input: wherry auth:add APP NAME --password < file")
        body["password"] = text(raw, "password").removesuffix("\n").removesuffix("\r")
    document = session.api.send("POST", session.app_path("/logins"), body)
    words = f"visitors of {printable(session.given.app)} may enter as {printable(document['user'])}{_later(document)}"
    if "password" not in document:
        return session.show(document, words)
    if not session.given.json:
        session.terminal.complain(f"{words}. This password is shown once:")
    return session.show(document, document["password"])


def auth_remove(session: Session) -> int:
    name = session.given.word("NAME")
    session.api.send("DELETE", session.app_path(f"/logins/{segment(name)}"))
    app, left = printable(session.given.app), session.api.get(session.app_path("/logins"))["logins"]
    opened = f"{app} asks nobody for a password any more: the last login is gone"
    return session.show({"removed": name}, f"{quoted(name)[1:-1]} may no longer enter {app}" if left else opened)


def maintenance(session: Session) -> int:
    document = session.api.get(session.app_path("/maintenance"))
    return session.show(document, _maintenance_words(session, document))


def maintenance_on(session: Session) -> int:
    body: dict[str, Any] = {"on": True}
    page = session.given.maybe("PAGE")
    if "--plain" in session.given.options:
        if page:
            raise InvalidInput("give a page or --plain, not both", field="page")
        body["page"] = ""
    elif page:
        body["page"] = _page(session, page)
    document = session.api.send("PUT", session.app_path("/maintenance"), body)
    return _told(session, document, lambda: _maintenance_words(session, document))


def maintenance_off(session: Session) -> int:
    document = session.api.send("PUT", session.app_path("/maintenance"), {"on": False})
    return _told(session, document, lambda: _maintenance_words(session, document))


def _page(session: Session, path: str) -> str:
    raw = content(session, path, LARGEST_PAGE, "give the page's file, or the page on standard input")
    if len(raw) > LARGEST_PAGE or not raw.strip():
        raise InvalidInput(f"{quoted(path)}: give a page of 1-{LARGEST_PAGE} bytes", field="page")
    return text(raw, quoted(path))


def _https_wish(session: Session) -> dict[str, Any]:
    given, wished = session.given, dict[str, Any]()
    if redirect := given.maybe("auto|on|off"):
        wished["redirect"] = redirect
    if given.option("--hsts") is not None:
        wished["hsts"] = given.number("--hsts", 365, 730, least=0) * DAY
    below = given.option("--subdomains")
    if below not in (None, "yes", "no"):
        raise InvalidInput(f"--subdomains {quoted(str(below))}: give yes or no", field="hsts_subdomains")
    return wished if below is None else {**wished, "hsts_subdomains": below == "yes"}


def _https_words(session: Session, document: dict[str, Any]) -> str:
    how = {"auto": "to HTTPS where a certificate is", "on": "to HTTPS always", "off": "nowhere: HTTP stays HTTP"}[document["redirect"]]
    below = ", and for all names below" if document["hsts_subdomains"] else ""
    hsts = f"; browsers remember it for {document['hsts'] // DAY} days{below}" if document["hsts"] else ""
    return f"visitors of {printable(session.given.app)} are sent {how}{hsts}{_later(document)}"


def _maintenance_words(session: Session, document: dict[str, Any]) -> str:
    app, page = printable(session.given.app), "your own page" if document["page"] else "the platform's page"
    if document["on"]:
        return f"{app} is in maintenance: visitors get {page}{_later(document)}. End it: wherry maintenance:off {app}"
    return f"{app} is not in maintenance{_later(document)}"


def _listed(session: Session, document: dict[str, Any]) -> int:
    def words() -> str:
        who = f"only {', '.join(document['addresses'])}" if document["addresses"] else "everybody"
        return f"{printable(session.given.app)} lets in {who}{_later(document)}"

    return _told(session, document, words)


def _told(session: Session, document: dict[str, Any], words: Any) -> int:
    """Says what is so now, or the message that nothing was to be done."""
    return session.show(document, printable(str(document["message"])) if "message" in document else words())


def _later(document: dict[str, Any]) -> str:
    return "" if document["live"] else LATER
