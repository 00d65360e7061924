"""Where a client begins: `/api` says who it is and where things are; `/healthz` whether the platform can answer at all."""

from __future__ import annotations

from flask import Response
from msgspec import Struct

from wherry.faces.api.answers import ok
from wherry.faces.api.documents import Links
from wherry.faces.api.routes import PUBLIC, Ask, Routes
from wherry.services import health
from wherry.version import VERSION

routes = Routes("index")
COLLECTIONS = ("apps", "domains", "instances", "operations", "events", "keys", "tokens", "users", "registries")


class ActorDocument(Struct):
    name: str
    role: str
    via: str


class Index(Struct):
    name: str
    version: str
    actor: ActorDocument
    links: Links


class Health(Struct):
    status: str


@routes.on("GET", "/api", needs="read", answers=Index)
def show_index(ask: Ask) -> Response:
    """look at the platform"""
    links = {"self": "/api", **{name: f"/api/{name}" for name in COLLECTIONS}, "openapi": "/api/openapi.json"}
    actor = ActorDocument(ask.actor.name, ask.actor.role, ask.actor.via)
    return ok(Index(ask.platform.settings.name, VERSION, actor, links))


@routes.on("GET", "/healthz", needs=PUBLIC, answers=Health)
def show_health(ask: Ask) -> Response:
    """look at the health"""
    health.check(ask.platform)
    return ok(Health("ok"))
