"""`wherry users:…`: the people of the platform; for admins."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput
from wherry.faces.cli.client import segment
from wherry.faces.cli.render import ago, quoted
from wherry.faces.cli.session import Session


def every(session: Session) -> int:
    document = session.api.get("/api/users")
    rows = [[user["name"], user["role"], _account(user), ago(user["created_at"])] for user in document["users"]]
    return session.show(document, session.table(rows, ("USER", "ROLE", "ACCOUNT", "ADDED")))


def add(session: Session) -> int:
    body: dict[str, Any] = {"name": session.given.word("NAME")}
    if (role := session.given.option("--role")) is not None:
        body["role"] = role
    if (uid := session.given.option("--uid")) is not None:
        body["local_uid"] = _uid(uid)
    user = session.api.send("POST", "/api/users", body)
    return session.show(
        user, f"{user['name']} is here with the role {user['role']}; give a key: wherry keys:add laptop -u {user['name']} < key.pub"
    )


def remove(session: Session) -> int:
    name = session.given.word("NAME")
    session.api.send("DELETE", f"/api/users/{segment(name)}")
    return session.show({"removed": name}, f"{quoted(name)[1:-1]} is removed, with all keys and tokens")


def _uid(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise InvalidInput(f"--uid {quoted(text)}: give the number of a local account, e.g. 1000 (see: id -u)", field="local_uid")
    return int(text)


def _account(user: dict[str, Any]) -> str:
    return "-" if user["local_uid"] is None else f"uid {user['local_uid']}"
