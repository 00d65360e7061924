"""Releases: look, compare, go back to one: `/api/apps/<app>/releases`."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta, Struct

from wherry.faces.api.answers import accepted, ok
from wherry.faces.api.documents import Links, OperationDocument
from wherry.faces.api.release_documents import (
    ReleaseDiff,
    ReleaseDocument,
    ReleaseOutput,
    diff_document,
    output_document,
    release_document,
)
from wherry.faces.api.routes import Ask, Routes
from wherry.model.release import parse_version
from wherry.services import apps
from wherry.services import releases as services

routes = Routes("releases")


class ReleaseQuery(Struct, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50


class DiffQuery(Struct, forbid_unknown_fields=True):
    """`before` is the release to compare with, by default the live one before. `reveal` shows values of config vars."""

    before: str = ""
    reveal: bool = False


class NewRelease(Struct, forbid_unknown_fields=True):
    """A rollback is a new release; null means the last live one before the current with other code or config."""

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
    listed = services.of_app(ask.platform, ask.actor, app, query.limit)
    watched = services.watched(ask.platform, ask.actor, app)
    releases = [release_document(ask.platform.settings, found, release, watched.get(release.number)) for release in listed]
    current = f"v{found.release}" if found.release else None
    return ok(ReleaseList(app, current, releases, {"self": f"/api/apps/{app}/releases", "app": f"/api/apps/{app}"}))


@routes.on("GET", "/api/apps/<app>/releases/<version>", needs="read", answers=ReleaseDocument)
def show_release(ask: Ask, app: str, version: str) -> Response:
    """look at a release"""
    found = apps.get(ask.platform, ask.actor, app)
    release = services.get(ask.platform, ask.actor, app, parse_version(version))
    watched = services.watched(ask.platform, ask.actor, app)
    return ok(release_document(ask.platform.settings, found, release, watched.get(release.number)))


@routes.on("GET", "/api/apps/<app>/releases/<version>/diff", needs="read", query=DiffQuery, answers=ReleaseDiff)
def compare_releases(ask: Ask, app: str, version: str, query: DiffQuery) -> Response:
    """compare releases"""
    other = parse_version(query.before) if query.before else None
    before, after, found = services.diff(ask.platform, ask.actor, app, parse_version(version), other, query.reveal)
    return ok(diff_document(apps.get(ask.platform, ask.actor, app), before, after, found))


@routes.on("GET", "/api/apps/<app>/releases/<version>/output", needs="read", answers=ReleaseOutput)
def show_output(ask: Ask, app: str, version: str) -> Response:
    """read what a release said"""
    release, lines = services.output(ask.platform, ask.actor, app, parse_version(version))
    return ok(output_document(apps.get(ask.platform, ask.actor, app), release, lines))


@routes.on("POST", "/api/apps/<app>/releases", needs="deploy", body=NewRelease, answers=OperationDocument, status=202)
def roll_back(ask: Ask, app: str, body: NewRelease) -> Response:
    """roll back"""
    number = None if body.rollback_to is None else parse_version(body.rollback_to)
    return accepted(services.rollback(ask.platform, ask.actor, app, number))
