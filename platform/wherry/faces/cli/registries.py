"""`wherry registry …`: where the platform may fetch private images."""

from __future__ import annotations

from wherry.errors import InvalidInput
from wherry.faces.cli import follow
from wherry.faces.cli.client import segment
from wherry.faces.cli.render import ago
from wherry.faces.cli.session import Session

LONGEST = 16 * 1024


def every(session: Session) -> int:
    document = session.api.get("/api/registries")
    rows = [[known["server"], known["user"], ago(known["created_at"]), known["created_by"]] for known in document["registries"]]
    empty = "logged in nowhere; public images need no login"
    return session.show(document, session.table(rows, ("REGISTRY", "USER", "SINCE", "BY")) if rows else empty)


def login(session: Session) -> int:
    """The password comes on standard input: in an argument it would be in histories and in `ps`."""
    if session.terminal.asked_by_person:
        example = "wherry registry:login ghcr.io alice < token.txt"
        raise InvalidInput(f"give the password or token on standard input, e.g. {example}", field="password")
    password = session.terminal.stdin.read(LONGEST).decode("utf-8", "replace").rstrip("\r\n")
    where = f"/api/registries/{segment(session.given.word('SERVER'))}"
    return follow.settle(session, session.api.send("PUT", where, {"user": session.given.word("USER"), "password": password}))


def logout(session: Session) -> int:
    return follow.settle(session, session.api.send("DELETE", f"/api/registries/{segment(session.given.word('SERVER'))}"))
