"""SSH keys: `/api/keys`."""

from __future__ import annotations

from flask import Response
from msgspec import Struct

from wherry.faces.api.answers import created, deleted, ok, path
from wherry.faces.api.documents import KeyDocument, Links, key_document
from wherry.faces.api.routes import Ask, Routes
from wherry.services import keys as services

routes = Routes("keys")


class NewKey(Struct, forbid_unknown_fields=True):
    public_key: str
    name: str | None = None
    user: str | None = None


class KeyList(Struct):
    keys: list[KeyDocument]
    links: Links


@routes.on("GET", "/api/keys", needs="read", answers=KeyList)
def list_keys(ask: Ask) -> Response:
    """look at keys"""
    return ok(KeyList([key_document(key) for key in services.every(ask.platform, ask.actor)], {"self": "/api/keys"}))


@routes.on("POST", "/api/keys", needs="deploy", body=NewKey, answers=KeyDocument, status=201)
def add_key(ask: Ask, body: NewKey) -> Response:
    """add keys"""
    key = services.add(ask.platform, ask.actor, body.public_key, body.name, body.user)
    return created(key_document(key), path("keys", key.name))


@routes.on("GET", "/api/keys/<path:name>", needs="read", answers=KeyDocument)
def show_key(ask: Ask, name: str) -> Response:
    """look at keys"""
    return ok(key_document(services.get(ask.platform, ask.actor, name)))


@routes.on("DELETE", "/api/keys/<path:name>", needs="deploy", status=204)
def remove_key(ask: Ask, name: str) -> Response:
    """remove keys"""
    services.remove(ask.platform, ask.actor, name)
    return deleted()
