"""`wherry keys:…`: the SSH keys that may push."""

from __future__ import annotations

from wherry.errors import InvalidInput, NotFound
from wherry.faces.cli.client import segment
from wherry.faces.cli.render import ago, quoted
from wherry.faces.cli.session import Session

LARGEST = 64 * 1024


def every(session: Session) -> int:
    document = session.api.get("/api/keys")
    rows = [[key["name"], key["user"], ago(key["created_at"]), key["fingerprint"]] for key in document["keys"]]
    empty = "no key yet; add yours: wherry keys:add laptop ~/.ssh/id_ed25519.pub"
    return session.show(document, session.table(rows, ("KEY", "USER", "ADDED", "FINGERPRINT")) if rows else empty)


def add(session: Session) -> int:
    body = {"public_key": _public_key(session), "name": session.given.word("NAME")}
    if user := session.given.option("--user"):
        body["user"] = user
    key = session.api.send("POST", "/api/keys", body)
    return session.show(key, f"{key['name']} may push as {key['user']} ({key['fingerprint']})")


def remove(session: Session) -> int:
    name = session.given.word("NAME")
    session.api.send("DELETE", f"/api/keys/{segment(name)}")
    return session.show({"removed": name}, f"{quoted(name)[1:-1]} may no longer push")


def _public_key(session: Session) -> str:
    """The one line of a public key, from FILE or standard input. Raises InvalidInput for a private one, before it travels."""
    path = session.given.maybe("FILE")
    if path is None and session.terminal.asked_by_person:
        raise InvalidInput("give the file of the public key, e.g. ~/.ssh/id_ed25519.pub, or the key on standard input", field="public_key")
    text = (session.terminal.stdin.read(LARGEST) if path in (None, "-") else _file(str(path))).decode("utf-8", "replace").strip()
    if "PRIVATE KEY" in text:
        raise InvalidInput("that is a private key: keep it secret, and give the public one, whose file ends in .pub", field="public_key")
    return text


def _file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs 5 ms at every start
            return file.read(LARGEST)
    except OSError as error:
        raise NotFound(f"{quoted(path)}: {(error.strerror or 'can not be read').lower()}", code="no_such_file") from error
