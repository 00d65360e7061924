"""Logins at registries: `/api/registries`. A password goes in and never comes out."""

from __future__ import annotations

from flask import Response
from msgspec import Struct

from wherry.faces.api.answers import accepted, ok, path
from wherry.faces.api.documents import Links, OperationDocument
from wherry.faces.api.routes import Ask, Routes
from wherry.secret import Secret
from wherry.services import registries as services

routes = Routes("registries")


class RegistryDocument(Struct):
    server: str
    user: str
    created_at: str
    created_by: str
    links: Links


class RegistryList(Struct):
    registries: list[RegistryDocument]
    links: Links


class NewLogin(Struct, forbid_unknown_fields=True):
    user: str
    password: str


@routes.on("GET", "/api/registries", needs="deploy", answers=RegistryList)
def list_registries(ask: Ask) -> Response:
    """look at registries"""
    found = [
        RegistryDocument(known.server, known.user, known.created_at, known.created_by, {"self": path("registries", known.server)})
        for known in services.every(ask.platform, ask.actor)
    ]
    return ok(RegistryList(found, {"self": "/api/registries"}))


@routes.on("PUT", "/api/registries/<server>", needs="admin", body=NewLogin, answers=OperationDocument, status=202)
def log_in(ask: Ask, server: str, body: NewLogin) -> Response:
    """log in at registries"""
    return accepted(services.login(ask.platform, ask.actor, server, body.user, Secret(body.password)))


@routes.on("DELETE", "/api/registries/<server>", needs="admin", answers=OperationDocument, status=202)
def log_out(ask: Ask, server: str) -> Response:
    """log out at registries"""
    return accepted(services.logout(ask.platform, ask.actor, server))
