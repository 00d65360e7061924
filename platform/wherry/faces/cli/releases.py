"""`wherry releases …` and `wherry rollback`: what an app was, is, and can be again."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput, NotFound
from wherry.faces.cli import follow
from wherry.faces.cli.render import ago, facts, left, printable, quoted, size
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
        ("formation", ", ".join(f"{name} {quantity}" for name, quantity in release["formation"].items())),
        ("config", ", ".join(release["config_keys"])),
        ("domains", ", ".join(release["domains"])),
        *((f"check {name}", line) for name, line in release["checks"].items()),
        *((f"limit {name}", _line(value)) for name, value in release["limits"].items()),
        *(("volume", _line(mount)) for mount in release["mounts"]),
    ]
    return session.show(release, facts(pairs, session.terminal.width))


def diff(session: Session) -> int:
    """One VERSION is the later of the two, two are given as before and after."""
    first, second = session.given.maybe("VERSION"), session.given.maybe("OTHER")
    after = version_of(second or first or _current(session))
    asked = {"before": version_of(first)} if first and second else {}
    if session.given.option("--reveal") is not None:
        asked["reveal"] = "true"
    document = session.api.get(session.app_path(f"/releases/{after}/diff"), **asked)
    return session.show(document, _told(session, document))


def output(session: Session) -> int:
    version = version_of(session.given.maybe("VERSION") or _current(session))
    document = session.api.get(session.app_path(f"/releases/{version}/output"))
    lines = [printable(line) for line in document["lines"]]
    nothing = f"{version} has no output: nothing had to be started for it" if document["operation"] is None else f"{version} has no output"
    return session.show(document, "\n".join(lines) or nothing)


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


def _told(session: Session, document: dict[str, Any]) -> str:
    found = document["differences"]
    heading = f"{document['app']} {document['before'] or 'nothing'} -> {document['after']}"
    if not found:
        return f"{heading}: no difference"
    rows = [[one["what"], one["name"], _change(one)] for one in found]
    advice = ["values of config vars are hidden; --reveal shows them"] if any(one["hidden"] for one in found) else []
    return "\n".join([heading, session.table(rows), *advice])


def _change(one: dict[str, Any]) -> str:
    """`added`, `removed`, `changed`, or what became of what."""
    before, after = (_short(one["what"], one[side] or "") for side in ("before", "after"))
    if one["hidden"] or not (before or after):
        return str(one["change"])
    if one["change"] == "changed":
        return f"{before or NONE} -> {after or NONE}"
    return f"{one['change']}: {after or before}"


def _short(what: str, value: str) -> str:
    """Commits and images as people know them."""
    return value[: SHORT[what]] if what in SHORT else value


SHORT = {"commit": 7, "image": 19}
NONE = '""'


def _line(value: Any) -> str:
    """`memory=512 cpu=1` for a flat document."""
    if isinstance(value, dict):
        return " ".join(f"{name}={inner}" for name, inner in value.items())
    return str(value)


def _row(release: dict[str, Any]) -> list[str]:
    return [release["version"], ago(release["created_at"]), release["actor"], release["description"], _outcome(release)]


def _outcome(release: dict[str, Any]) -> str:
    """`live` for the current one, `failed: why` for one that never was, `bad: why` for one that went back by itself, `image gone` for
    one that can not be gone back to; the others went live and need no word."""
    if release["image_gone"]:
        return "image gone"
    if release["outcome"] == "failed":
        return f"failed: {release['reason']}" if release["reason"] else "failed"
    watch = release["watch"] or {}
    if watch.get("state") == "bad":
        return f"{'live, ' if release['current'] else ''}bad: {watch['reason']}"
    if watch.get("state") == "watching" and release["current"]:
        return f"live, watched for {left(watch['until'])} more"
    return str(release["outcome"] or "under way") if release["current"] or release["outcome"] is None else ""
