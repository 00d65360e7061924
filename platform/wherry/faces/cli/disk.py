"""`wherry disk`: who uses it, and what is left."""

from __future__ import annotations

from typing import Any

from wherry.faces.cli.render import ago, facts, size
from wherry.faces.cli.session import Session

HEADER = ("APP", "IMAGES", "OWN", "SHARED", "VOLUMES", "LOGS", "GIT", "SUM")


def show(session: Session) -> int:
    document = session.api.get("/api/disk")
    width = session.terminal.width
    rows = [_row(app) for app in document["apps"]]
    parts = [session.table(rows, HEADER)] if rows else []
    return session.show(document, "\n\n".join([*parts, facts(_rest(document), width)]))


def _row(app: dict[str, Any]) -> list[str]:
    return [app["app"], str(app["images"]), *(size(app[name]) for name in ("own", "shared", "volumes", "logs", "repository", "sum"))]


def _rest(document: dict[str, Any]) -> list[tuple[str, str]]:
    low = f", {document['free_inodes']:.0f} % of the inodes" if document["free_inodes"] < 20 else ""
    return [
        ("images", f"{size(document['images'])} of all apps, each layer once; they may take {size(document['images_budget'])}"),
        ("base images", size(document["base_images"])),
        ("build cache", f"{size(document['build_cache'])} (Docker's, of all its builds)"),
        ("spool", size(document["spool"])),
        ("platform", f"{size(document['platform'])} (database, logs of operations)"),
        ("free", f"{size(document['free'])} of {size(document['total'])}{low}; {size(document['reserve'])} stay free"),
        ("measured", ago(document["measured_at"])),
    ]
