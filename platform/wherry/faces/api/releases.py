"""Releases, and going back to one: `/api/apps/<app>/releases`."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta, Struct

from wherry.faces.api.answers import accepted, ok
from wherry.faces.api.documents import Links, OperationDocument, ReleaseDocument, release_document
from wherry.faces.api.routes import Ask, Routes
from wherry.model.release import parse_version
from wherry.services import apps
from wherry.services import releases as services

routes = Routes("releases")


class ReleaseQuery(Struct, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50


class NewRelease(Struct, forbid_unknown_fields=True):
    """A rollback is a new release; null means the last live one before the current."""

    rollback_to: str | None


class ReleaseList(Struct):
    app: str
    current: str | None
    releases: list[ReleaseDocument]
    links: Links


@routes.on("GET", "/api/apps/<app>/releases", needs="read", query=ReleaseQuery, answers=ReleaseList)
def list_releases(ask: Ask, app: str, query: ReleaseQuery) -> Response:
    """look at releases"""
    found = apps.get(ask.platform, ask.actor, app)
    releases = [release_document(found, release) for release in services.of_app(ask.platform, ask.actor, app, query.limit)]
    current = f"v{found.release}" if found.release else None
    return ok(ReleaseList(app, current, releases, {"self": f"/api/apps/{app}/releases", "app": f"/api/apps/{app}"}))


@routes.on("GET", "/api/apps/<app>/releases/<version>", needs="read", answers=ReleaseDocument)
def show_release(ask: Ask, app: str, version: str) -> Response:
    """look at a release"""
    found = apps.get(ask.platform, ask.actor, app)
    return ok(release_document(found, services.get(ask.platform, ask.actor, app, parse_version(version))))


@routes.on("POST", "/api/apps/<app>/releases", needs="deploy", body=NewRelease, answers=OperationDocument, status=202)
def roll_back(ask: Ask, app: str, body: NewRelease) -> Response:
    """roll back"""
    number = None if body.rollback_to is None else parse_version(body.rollback_to)
    return accepted(services.rollback(ask.platform, ask.actor, app, number))
