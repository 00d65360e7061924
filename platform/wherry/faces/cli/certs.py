"""`wherry certs …`: certificates."""

from __future__ import annotations

import shlex
import time
from typing import Any

from wherry.errors import InvalidInput, Unavailable
from wherry.faces.cli.client import segment
from wherry.faces.cli.files import content, text
from wherry.faces.cli.render import ago, facts, left, printable, quoted, seconds_until, until
from wherry.faces.cli.session import Session

LARGEST = 256 * 1024
PATIENCE = 60.0
"""Seconds that a person waits for an authority; a DNS hook may take ten minutes."""
ADVICE = "give the files of certificate and key, or both on standard input: cat cert.pem key.pem | wherry certs:add APP"


def show(session: Session) -> int:
    document = session.api.get(session.app_path("/certificates"))
    rows = [[one["name"], one["state"], ends(one), printable(_told(one))] for one in document["certificates"]]
    empty = f"{printable(session.given.app)} has no domain"
    return session.show(document, session.table(rows, ("DOMAIN", "STATE", "ENDS", "SIGNED BY")) if rows else empty)


def info(session: Session) -> int:
    one = session.api.get(_at(session))
    pairs = [
        ("certificate", one["name"]),
        ("state", one["state"]),
        ("origin", {"acme": "ordered by the platform", "own": "brought by a person"}[one["origin"]]),
        ("names", ", ".join(one["names"])),
        ("signed by", one["issuer"]),
        ("serial", one["serial"]),
        ("SHA-1", one["fingerprint"]),
        ("valid", f"{one['not_before'][:10]} to {one['not_after'][:10]}" if one["not_after"] else ""),
        ("ends", ends(one) if one["not_after"] else ""),
        ("renewal", _renewal(one)),
        ("last failure", f"{one['error']} {_tries(one['attempts'])}" if one["error"] else ""),
        ("next try", _next_try(one)),
    ]
    return session.show(one, facts([(name, printable(value)) for name, value in pairs], session.terminal.width))


def add(session: Session) -> int:
    one = session.api.send("POST", session.app_path("/certificates"), {"pem": _bundle(session)})
    later = "" if one["state"] == "active" else "; visitors are shown it when the platform's engine has taken it up"
    names = ", ".join(one["names"]) or one["name"]
    words = f"{printable(session.given.app)} shows a certificate for {printable(names)} that ends {ends(one)}"
    return session.show(one, words + later if one["not_after"] else f"the certificate for {printable(one['name'])} is taken{later}")


def remove(session: Session) -> int:
    name = session.given.word("NAME")
    session.api.send("DELETE", _at(session))
    return session.show({"removed": name}, f"the certificate {quoted(name)[1:-1]} is removed")


def renew(session: Session) -> int:
    """Waits for the authority's word, and says it."""
    one, end = session.api.send("POST", f"{_at(session)}/actions/renew", {}), time.monotonic() + PATIENCE
    while session.given.wait and _being_ordered(one) and time.monotonic() < end:
        time.sleep(0.2)
        one = session.api.get(_at(session))
    name, see = printable(one["name"]), f"wherry certs:info {printable(session.given.app)} {shlex.quote(one['name'])}"
    if _being_ordered(one):
        return session.show(one, f"a certificate for {name} is being ordered; see: {see}")
    if one["error"]:
        raise Unavailable(
            f"{name}: {printable(one['error']).removeprefix(f'{name}: ')}",
            hint=f"Tried again {_next_try(one)}; see: {see}",
            code="certificate_failed",
        )
    return session.show(one, f"{name} has a new certificate by {printable(one['issuer'])} that ends {ends(one)}")


def auto(session: Session) -> int:
    word = session.given.maybe("on|off")
    path = session.app_path("/certificates")
    if word is None:
        document = session.api.get(path)
    elif word in ("on", "off"):
        document = session.api.send("PATCH", path, {"auto": word == "on"})
    else:
        raise InvalidInput(f"{quoted(word)}: give on or off", field="auto")
    if "auto" not in document:
        return session.show(document, printable(str(document["message"])))
    return session.show(document, f"automatic certificates of {printable(session.given.app)} are {'on' if document['auto'] else 'off'}")


def ends(one: dict[str, Any]) -> str:
    """`in 60 days`, `3 days ago`, or `-` while there is none."""
    if not one["not_after"]:
        return "-"
    return until(one["not_after"]) if seconds_until(one["not_after"]) > 0 else ago(one["not_after"])


def _being_ordered(one: dict[str, Any]) -> bool:
    """Its time has come, and the authority's word has not."""
    if not one["next_try"] or seconds_until(one["next_try"]) > 0:
        return False
    return not one["renew_at"] or seconds_until(one["renew_at"]) <= 0


def _told(one: dict[str, Any]) -> str:
    if not _being_ordered(one):
        return str(one["issuer"] or one["error"])
    return "; ".join(part for part in (one["issuer"], "being ordered", one["error"] and f"last time: {one['error']}") if part)


def _renewal(one: dict[str, Any]) -> str:
    if not one["renew_at"] or not one["not_after"]:
        return ""
    return until(one["renew_at"]) if seconds_until(one["renew_at"]) > 0 else "being ordered" if _being_ordered(one) else "due"


def _tries(attempts: int) -> str:
    return ("", " (tried once)")[attempts] if attempts < 2 else f" (tried {attempts} times in a row)"


def _next_try(one: dict[str, Any]) -> str:
    if not one["error"] or not one["next_try"]:
        return ""
    return f"in {left(one['next_try'])}" if seconds_until(one["next_try"]) > 0 else "now"


def _at(session: Session) -> str:
    return session.app_path(f"/certificates/{segment(session.given.word('NAME'))}")


def _bundle(session: Session) -> str:
    """All PEM blocks of the files given, or of standard input, which may be a tar."""
    paths = [path for path in (session.given.maybe("CERT"), session.given.maybe("KEY")) if path]
    if paths:
        return "\n".join(text(content(session, path, LARGEST, ADVICE), quoted(path)) for path in paths)
    raw = content(session, None, LARGEST, ADVICE)
    return text(_untarred(raw) if raw[257:262] == b"ustar" else raw, "standard input")


def _untarred(raw: bytes) -> bytes:
    """The contents of a tar's small files, one after the other; nothing is written to disk."""
    import io
    import tarfile

    try:
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            files = [archive.extractfile(member) for member in archive.getmembers() if member.isfile() and member.size <= LARGEST]
            return b"\n".join(file.read() for file in files if file)
    except tarfile.TarError as error:
        raise InvalidInput("standard input: a tar that can not be read") from error
