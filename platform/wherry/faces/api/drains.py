"""Where an app's log is sent: `/api/apps/<app>/drains`. Addresses are shown without what may be secret in them."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta, Struct

from wherry.faces.api.answers import created, deleted, ok
from wherry.faces.api.documents import Links
from wherry.faces.api.routes import Ask, Routes
from wherry.model.drain import Drain
from wherry.services import drains as services

routes = Routes("drains")


class DrainDocument(Struct):
    """`state` is `sending` or `failing`, since `since`; `detail` says why it fails."""

    app: str
    token: str
    url: str
    state: str
    detail: str
    since: str
    created_at: str
    created_by: str
    links: Links


class DrainList(Struct):
    app: str
    drains: list[DrainDocument]
    links: Links


class NewDrain(Struct, forbid_unknown_fields=True):
    url: Annotated[str, Meta(max_length=2000)]


@routes.on("GET", "/api/apps/<app>/drains", needs="read", answers=DrainList)
def list_drains(ask: Ask, app: str) -> Response:
    """look at drains"""
    found = [_document(drain) for drain in services.of_app(ask.platform, ask.actor, app)]
    return ok(DrainList(app, found, {"self": f"/api/apps/{app}/drains", "app": f"/api/apps/{app}"}))


@routes.on("POST", "/api/apps/<app>/drains", needs="deploy", body=NewDrain, answers=DrainDocument, status=201)
def add_drain(ask: Ask, app: str, body: NewDrain) -> Response:
    """add a drain"""
    document = _document(services.add(ask.platform, ask.actor, app, body.url))
    return created(document, document.links["self"])


@routes.on("DELETE", "/api/apps/<app>/drains/<drain>", needs="deploy", status=204)
def remove_drain(ask: Ask, app: str, drain: str) -> Response:
    """remove a drain"""
    services.remove(ask.platform, ask.actor, app, drain)
    return deleted()


def _document(drain: Drain) -> DrainDocument:
    links = {"self": f"/api/apps/{drain.app}/drains/{drain.token}", "app": f"/api/apps/{drain.app}"}
    return DrainDocument(
        drain.app, drain.token, drain.shown, drain.state, drain.detail, drain.since, drain.created_at, drain.created_by, links
    )
