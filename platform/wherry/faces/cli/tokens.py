"""`wherry tokens:…`: bearer tokens for the API."""

from __future__ import annotations

from typing import Any

from wherry.faces.cli.client import segment
from wherry.faces.cli.render import ago, quoted, until
from wherry.faces.cli.session import Session


def every(session: Session) -> int:
    document = session.api.get("/api/tokens")
    header = ("TOKEN", "USER", "ROLE", "PREFIX", "USED", "EXPIRES")
    rows = [_row(token) for token in document["tokens"]]
    return session.show(document, session.table(rows, header) if rows else "no token yet; make one: wherry tokens:create laptop")


def create(session: Session) -> int:
    given = session.given
    body: dict[str, Any] = {"name": given.word("NAME")}
    body.update({key: value for key, value in (("role", given.option("--role")), ("user", given.option("--user"))) if value is not None})
    if given.option("--days") is not None:
        body["days"] = given.number("--days", 365, 3650)
    token = session.api.send("POST", "/api/tokens", body)
    if not given.json:
        session.terminal.complain(f"This is shown once. {token['user']}, role {token['role']}, expires {until(token['expires_at'])}.")
    return session.show(token, token["token"])


def revoke(session: Session) -> int:
    name = session.given.word("NAME")
    session.api.send("DELETE", f"/api/tokens/{segment(name)}")
    return session.show({"removed": name}, f"{quoted(name)[1:-1]} is revoked")


def _row(token: dict[str, Any]) -> list[str]:
    used = ago(token["last_used_at"])
    return [token["name"], token["user"], token["role"], token["prefix"], used, until(token["expires_at"])]
