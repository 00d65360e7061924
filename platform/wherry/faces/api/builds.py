"""Builds, `/api/builds`, and how an app is built, `/api/apps/<app>/build`: a change of that holds from the next build on."""

from __future__ import annotations

import re
from typing import Annotated, Any

from flask import Response
from msgspec import UNSET, Meta, Struct, UnsetType

from wherry.errors import NotFound
from wherry.faces.api.answers import ok
from wherry.faces.api.bodies import given
from wherry.faces.api.documents import Links, operation_document
from wherry.faces.api.routes import Ask, Routes
from wherry.model.build import BuildRecord
from wherry.model.build_settings import BuildSettings
from wherry.services import builds as services

routes = Routes("builds")


class BuildQuery(Struct, forbid_unknown_fields=True):
    app: str | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 30


class BuildDocument(Struct):
    """`state` is waiting, building, succeeded, failed or cancelled. `error` is also that of the release, when the build went well.
    Sizes are bytes; `began_at` is when its turn came."""

    number: int
    app: str
    state: str
    waits_for: str
    commit: str
    origin: str
    buildpack: str
    image: str
    size: int
    actor: str
    release: str | None
    error: dict[str, Any] | None
    created_at: str
    began_at: str | None
    ended_at: str | None
    output_kept: bool
    links: Links


class BuildList(Struct):
    builds: list[BuildDocument]
    links: Links


@routes.on("GET", "/api/builds", needs="read", query=BuildQuery, answers=BuildList)
def list_builds(ask: Ask, query: BuildQuery) -> Response:
    """look at builds"""
    found = services.recent(ask.platform, ask.actor, query.app, query.limit)
    return ok(BuildList([_build_document(ask, record) for record in found], {"self": "/api/builds"}))


@routes.on("GET", "/api/builds/<number>", needs="read", answers=BuildDocument)
def show_build(ask: Ask, number: str) -> Response:
    """look at builds"""
    if not re.fullmatch(r"[0-9]{1,15}", number):
        raise NotFound(f"no build {number[:40]!a}", code="no_such_build", hint="See them with: wherry builds APP")
    return ok(_build_document(ask, services.get(ask.platform, ask.actor, int(number))))


def _build_document(ask: Ask, record: BuildRecord) -> BuildDocument:
    made, operation = record.made, operation_document(record.operation)
    links = {"self": f"/api/builds/{record.number}", "operation": operation.links["self"]}
    links |= {name: operation.links[name] for name in ("app", "log", "cancel") if name in operation.links}
    return BuildDocument(
        number=record.number,
        app=operation.app,
        state=record.state,
        waits_for=record.waits_for,
        commit=record.commit,
        origin=made.origin if made else str(operation.request.get("origin", "")),
        buildpack=made.buildpack if made else "",
        image=made.image if made else "",
        size=made.size if made else 0,
        actor=operation.actor,
        release=f"v{record.release}" if record.release else None,
        error=operation.error,
        created_at=operation.created_at,
        began_at=record.began_at,
        ended_at=record.ended_at,
        output_kept=services.has_log(ask.platform, record.number),
        links=links,
    )


class BuildSettingsDocument(Struct):
    app: str
    dir: str
    dockerfile: str
    procfile: str
    args: dict[str, str]
    buildpacks: list[str]
    builder: str
    links: Links


class BuildChanges(Struct, forbid_unknown_fields=True):
    """What is absent stays; null is the default again, and of `args` takes one away."""

    dir: str | UnsetType | None = UNSET
    dockerfile: str | UnsetType | None = UNSET
    procfile: str | UnsetType | None = UNSET
    args: dict[str, str | None] | UnsetType | None = UNSET
    buildpacks: list[str] | UnsetType | None = UNSET
    builder: str | UnsetType | None = UNSET


@routes.on("GET", "/api/apps/<app>/build", needs="deploy", answers=BuildSettingsDocument)
def show_build_settings(ask: Ask, app: str) -> Response:
    """read build settings"""
    return ok(_document(app, services.settings_of(ask.platform, ask.actor, app)))


@routes.on("PATCH", "/api/apps/<app>/build", needs="deploy", body=BuildChanges, answers=BuildSettingsDocument)
def change_build_settings(ask: Ask, app: str, body: BuildChanges) -> Response:
    """change build settings"""
    return ok(_document(app, services.change(ask.platform, ask.actor, app, given(body))))


def _document(app: str, found: BuildSettings) -> BuildSettingsDocument:
    links = {"self": f"/api/apps/{app}/build", "app": f"/api/apps/{app}"}
    return BuildSettingsDocument(app, found.dir, found.dockerfile, found.procfile, found.args, list(found.buildpacks), found.builder, links)
