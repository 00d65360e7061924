"""`wherry releases …` and `wherry rollback`: what an app was, is, and can be again."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput, NotFound
from wherry.faces.cli import follow
from wherry.faces.cli.render import ago, facts, quoted, size
from wherry.faces.cli.session import Session


def of_app(session: Session) -> int:
    limit = session.given.number("--num", 15, 500)
    document = session.api.get(session.app_path("/releases"), limit=str(limit))
    rows = [_row(release) for release in document["releases"]]
    return session.show(document, session.table(rows) if rows else "no release yet; push first: git push wherry main")


def info(session: Session) -> int:
    version = session.given.maybe("VERSION") or _current(session)
    release = session.api.get(session.app_path(f"/releases/{version_of(version)}"))
    pairs = [
        ("release", f"{release['version']}  {_outcome(release)}".rstrip()),
        ("what", release["description"]),
        ("made", f"{ago(release['created_at'])} by {release['actor']}"),
        ("commit", release["commit"]),
        ("image", f"{release['image']}  {size(release['size'])}"),
        ("buildpack", release["buildpack"]),
        *((f"{name}:", line or "(the image's own command)") for name, line in release["processes"].items()),
        ("config", ", ".join(release["config_keys"])),
    ]
    return session.show(release, facts(pairs, session.terminal.width))


def rollback(session: Session) -> int:
    version = session.given.maybe("VERSION")
    target = version_of(version) if version is not None else None
    return follow.settle(session, session.api.send("POST", session.app_path("/releases"), {"rollback_to": target}))


def version_of(text: str) -> str:
    """`v12` or `12` as `v12`. Raises InvalidInput otherwise."""
    digits = text.removeprefix("v")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9 and digits[0] != "0"):
        raise InvalidInput(f"release {quoted(text)}: give a version like v3 (see: wherry releases APP)", field="release")
    return f"v{digits}"


def _current(session: Session) -> str:
    current = session.api.get(session.app_path("/releases"), limit="1")["current"]
    if current is None:
        raise NotFound(f"{session.given.app} has no release yet", hint="Push first: git push wherry main", code="no_such_release")
    return str(current)


def _row(release: dict[str, Any]) -> list[str]:
    return [release["version"], ago(release["created_at"]), release["actor"], release["description"], _outcome(release)]


def _outcome(release: dict[str, Any]) -> str:
    """`live` for the current one, `failed: why` for one that never was; the others went live and need no word."""
    if release["outcome"] == "failed":
        return f"failed: {release['reason']}" if release["reason"] else "failed"
    return str(release["outcome"] or "under way") if release["current"] or release["outcome"] is None else ""
