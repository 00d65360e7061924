"""An app's log, its end or as it grows: `/api/apps/<app>/logs`."""

from __future__ import annotations

from typing import Annotated

from flask import Response, request
from msgspec import Meta, Struct

from wherry.errors import InvalidInput
from wherry.faces.api.answers import ok
from wherry.faces.api.documents import Links
from wherry.faces.api.followers import EVENTS, JSON, TEXT, as_events, as_text, form_of
from wherry.faces.api.routes import Ask, Routes
from wherry.services import logs as services

routes = Routes("logs")
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"


class LogQuery(Struct, forbid_unknown_fields=True):
    n: Annotated[int, Meta(ge=0, le=services.MAX_LINES)] = 100
    process: str | None = None
    source: str | None = None
    grep: Annotated[str, Meta(max_length=200)] | None = None
    since: Annotated[str, Meta(pattern=MOMENT)] | None = None
    follow: bool = False


class LogDocument(Struct):
    app: str
    lines: list[str]
    links: Links


@routes.on("GET", "/api/apps/<app>/logs", needs="read", query=LogQuery, answers=LogDocument)
def read_log(ask: Ask, app: str, query: LogQuery) -> Response:
    """read the log"""
    form = form_of(request, query.follow)
    if query.follow:
        return _follow(ask, app, query, form)
    wanted = {"process": query.process, "source": query.source, "grep": query.grep, "since": query.since}
    lines = services.tail(ask.platform, ask.actor, app, query.n, **wanted)
    if form == JSON:
        return ok(LogDocument(app, lines, {"self": f"/api/apps/{app}/logs", "app": f"/api/apps/{app}"}))
    return Response("".join(f"{line}\n" for line in lines), mimetype=TEXT)


def _follow(ask: Ask, app: str, query: LogQuery, form: str) -> Response:
    if query.since is not None:
        raise InvalidInput("since: not together with follow", field="since")
    source = services.follow(
        ask.platform,
        ask.actor,
        app,
        query.n,
        process=query.process,
        source=query.source,
        grep=query.grep,
        stop=lambda: ask.followers.stopping,
    )
    lines = ask.followers.lines(source, request._get_current_object())  # type: ignore[attr-defined]
    return ask.followers.stream(as_events(lines) if form == EVENTS else as_text(lines), form, request)
