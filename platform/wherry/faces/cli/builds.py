"""`wherry builds …`: what was built, how it went, and what it said."""

from __future__ import annotations

from typing import Any

from wherry.errors import InvalidInput, NotFound
from wherry.faces.cli import follow, operations
from wherry.faces.cli.render import ago, facts, quoted, size, took
from wherry.faces.cli.session import Session

KEPT = "the logs of an app's latest 50 builds are kept"


def recent(session: Session) -> int:
    app, limit = session.given.maybe("APP"), session.given.number("--num", 15, 500)
    document = session.api.get("/api/builds", app=app, limit=str(limit))
    rows = [_row(build, with_app=app is None) for build in document["builds"]]
    return session.show(document, session.table(rows) if rows else "no build yet; push first: git push wherry main")


def info(session: Session) -> int:
    build = _chosen(session)
    error = build["error"] or {}
    pairs = [
        ("build", f"{build['number']}  {build['state']}"),
        ("waits", build["waits_for"]),
        ("app", build["app"]),
        ("commit", build["commit"]),
        ("from", build["origin"]),
        ("buildpack", build["buildpack"]),
        ("image", f"{build['image']}  {size(build['size'])}" if build["image"] else ""),
        ("asked", f"{ago(build['created_at'])} by {build['actor']}"),
        ("took", _took(build)),
        ("release", build["release"] or ""),
        ("error", " ".join(filter(None, (error.get("code"), error.get("message"))))),
        ("fix", session.own(error.get("hint") or "")),
        ("output", session.own(f"wherry builds:output {build['number']}") if build["output_kept"] else f"gone: {KEPT}"),
    ]
    return session.show(build, facts(pairs, session.terminal.width), given=True)


def output(session: Session) -> int:
    build = _chosen(session)
    if not build["output_kept"] and build["ended_at"]:
        raise NotFound(f"the output of build {build['number']} is gone: {KEPT}", code="no_such_output")
    return follow.watch(session, build["number"])


def cancel(session: Session) -> int:
    return operations.end(session, _chosen(session)["number"])


def _chosen(session: Session) -> dict[str, Any]:
    """The build that is meant: by its number, with or without the app's name before it, or the latest of the app."""
    app, text = session.given.maybe("APP"), session.given.maybe("NUMBER")
    if text is None and app is not None and app.isascii() and app.isdigit():
        app, text = None, app
    if app is None and text is None:
        raise InvalidInput("which build? Give its number or an app, e.g. wherry builds:info shop", code="usage")
    if text is None or text == "current":
        return _latest(session, str(app))
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise InvalidInput(f"build {quoted(text)}: give its number, e.g. 41 (see: wherry builds)", field="build")
    found: dict[str, Any] = session.api.get(f"/api/builds/{text}")
    if app is not None and found["app"] != app:
        raise NotFound(f"build {text} is one of {found['app']}, not of {app}", code="no_such_build")
    return found


def _latest(session: Session, app: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = session.api.get("/api/builds", app=app, limit="1")["builds"]
    if not found:
        raise NotFound(
            f"{app} has no build yet",
            hint="Push first: git push wherry main. Those of an app that was renamed are under its old name.",
            code="no_such_build",
        )
    return found[0]


def _row(build: dict[str, Any], *, with_app: bool) -> list[str]:
    error = build["error"] or {}
    told = build["waits_for"] or " ".join(filter(None, (error.get("code"), error.get("message"))))
    made = [build["buildpack"], size(build["size"]) if build["size"] else "", _took(build)]
    app = [build["app"]] if with_app else []
    return [str(build["number"]), *app, build["state"], build["commit"][:7], *made, ago(build["created_at"]), build["actor"], told]


def _took(build: dict[str, Any]) -> str:
    return took(build["began_at"], build["ended_at"]) if build["began_at"] and build["ended_at"] else ""
