"""The audit: `/api/events`, and of one app `/api/apps/<app>/events`."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response
from msgspec import Meta, Struct

from wherry.errors import InvalidInput
from wherry.faces.api.answers import ok
from wherry.faces.api.documents import Links
from wherry.faces.api.routes import Ask, Routes
from wherry.model.event import Event, Wanted, check_type
from wherry.services import events as services

routes = Routes("events")
Id = Annotated[int, Meta(ge=0, le=2**53)]


class EventQuery(Struct, forbid_unknown_fields=True):
    """`after` turns the order round: the oldest that came after it first. `before` goes back page by page."""

    n: Annotated[int, Meta(ge=1, le=1000)] = 50
    type: str | None = None
    actor: str | None = None
    before: Id | None = None
    after: Id | None = None


class EventDocument(Struct):
    id: int
    at: str
    type: str
    app: str | None
    actor: str
    via: str
    data: dict[str, Any]


class EventList(Struct):
    events: list[EventDocument]
    links: Links


@routes.on("GET", "/api/events", needs="admin", query=EventQuery, answers=EventList)
def list_events(ask: Ask, query: EventQuery) -> Response:
    """look at the events of the whole platform"""
    return ok(EventList(_found(ask, query, None), {"self": "/api/events"}))


@routes.on("GET", "/api/apps/<app>/events", needs="read", query=EventQuery, answers=EventList)
def list_app_events(ask: Ask, app: str, query: EventQuery) -> Response:
    """look at events"""
    return ok(EventList(_found(ask, query, app), {"self": f"/api/apps/{app}/events", "app": f"/api/apps/{app}"}))


def _found(ask: Ask, query: EventQuery, app: str | None) -> list[EventDocument]:
    if query.after is not None and query.before is not None:
        raise InvalidInput("give after or before, not both", field="after")
    wanted = Wanted(app, query.actor, None if query.type is None else check_type(query.type), query.before)
    if query.after is not None:
        return [event_document(event) for event in services.since(ask.platform, ask.actor, query.after, wanted, query.n)]
    return [event_document(event) for event in services.recent(ask.platform, ask.actor, wanted, query.n)]


def event_document(event: Event) -> EventDocument:
    return EventDocument(event.id, event.at, event.type, event.app, event.actor, event.via, event.data)
