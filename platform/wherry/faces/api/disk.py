"""Who uses the disk: `/api/disk`."""

from __future__ import annotations

from flask import Response
from msgspec import Struct

from wherry.faces.api.answers import ok
from wherry.faces.api.documents import Links
from wherry.faces.api.routes import Ask, Routes
from wherry.services import disk as services

routes = Routes("disk")


class AppDiskDocument(Struct):
    """Bytes; `images` is how many there are, `sum` what would come free with the app."""

    app: str
    images: int
    own: int
    shared: int
    volumes: int
    logs: int
    repository: int
    sum: int
    links: Links


class DiskDocument(Struct):
    """Bytes but for `free_inodes`, which is percent. `apps` is sorted, the largest first."""

    path: str
    total: int
    free: int
    free_inodes: float
    reserve: int
    images: int
    images_budget: int
    base_images: int
    build_cache: int
    spool: int
    platform: int
    apps: list[AppDiskDocument]
    measured_at: str
    links: Links


@routes.on("GET", "/api/disk", needs="read", answers=DiskDocument)
def show_disk(ask: Ask) -> Response:
    """look at the disk"""
    found, at = services.usage(ask.platform, ask.actor)
    apps = [
        AppDiskDocument(name, one.images, one.own, one.shared, one.volumes, one.logs, one.repository, one.sum, {"app": f"/api/apps/{name}"})
        for name, one in sorted(found.apps.items(), key=lambda pair: (-pair[1].sum, pair[0]))
    ]
    return ok(
        DiskDocument(
            path=found.root,
            total=found.total,
            free=found.free,
            free_inodes=round(found.inodes, 1),
            reserve=found.reserve,
            images=found.images,
            images_budget=found.budget,
            base_images=found.base_images,
            build_cache=found.cache,
            spool=found.spool,
            platform=found.platform,
            apps=apps,
            measured_at=at,
            links={"self": "/api/disk"},
        )
    )
