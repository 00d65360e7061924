"""An app's log, its end or as it grows, and how it is kept: `/api/apps/<app>/logs` and `…/log-settings`."""

from __future__ import annotations

from typing import Annotated

from flask import Response, request
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from wherry.faces.api.answers import ok
from wherry.faces.api.bodies import given
from wherry.faces.api.documents import Links
from wherry.faces.api.followers import EVENTS, JSON, TEXT, as_events, as_text, form_of
from wherry.faces.api.routes import Ask, Routes
from wherry.model.log_settings import LogSettings
from wherry.services import logs as services

routes = Routes("logs")
Moment = Annotated[str, Meta(max_length=40)]


class LogQuery(Struct, forbid_unknown_fields=True):
    n: Annotated[int, Meta(ge=0, le=services.MAX_LINES)] = 100
    process: str | None = None
    source: str | None = None
    grep: Annotated[str, Meta(max_length=200)] | None = None
    since: Moment | None = None
    until: Moment | None = None
    follow: bool = False


class LogDocument(Struct):
    app: str
    lines: list[str]
    links: Links


class LogSettingsDocument(Struct):
    """`max_size` is MB on disk; null is the platform's setting."""

    app: str
    router: bool
    query: bool
    max_size: int | None
    links: Links


class LogSettingsChange(Struct, forbid_unknown_fields=True):
    """What is absent stays."""

    router: bool | UnsetType = UNSET
    query: bool | UnsetType = UNSET
    max_size: int | UnsetType | None = UNSET


@routes.on("GET", "/api/apps/<app>/logs", needs="read", query=LogQuery, answers=LogDocument)
def read_log(ask: Ask, app: str, query: LogQuery) -> Response:
    """read the log"""
    form = form_of(request, query.follow)
    wanted = {name: value for name, value in structs.asdict(query).items() if name not in ("n", "follow")}
    if query.follow:
        source = services.follow(ask.platform, ask.actor, app, query.n, stop=lambda: ask.followers.stopping, **wanted)
        lines = ask.followers.lines(source, request._get_current_object())  # type: ignore[attr-defined]
        return ask.followers.stream(as_events(lines) if form == EVENTS else as_text(lines), form, request)
    found = services.tail(ask.platform, ask.actor, app, query.n, **wanted)
    if form == JSON:
        return ok(LogDocument(app, found, {"self": f"/api/apps/{app}/logs", "app": f"/api/apps/{app}"}))
    return Response("".join(f"{line}\n" for line in found), mimetype=TEXT)


@routes.on("GET", "/api/apps/<app>/log-settings", needs="read", answers=LogSettingsDocument)
def show_log_settings(ask: Ask, app: str) -> Response:
    """read log settings"""
    return ok(_document(app, services.settings_of(ask.platform, ask.actor, app)))


@routes.on("PATCH", "/api/apps/<app>/log-settings", needs="deploy", body=LogSettingsChange, answers=LogSettingsDocument)
def change_log_settings(ask: Ask, app: str, body: LogSettingsChange) -> Response:
    """change log settings"""
    return ok(_document(app, services.change(ask.platform, ask.actor, app, given(body))))


def _document(app: str, found: LogSettings) -> LogSettingsDocument:
    links = {"self": f"/api/apps/{app}/log-settings", "app": f"/api/apps/{app}", "logs": f"/api/apps/{app}/logs"}
    return LogSettingsDocument(app, found.router, found.query, found.max_size, links)
