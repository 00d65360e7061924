"""Bearer tokens: `/api/tokens`. A secret is in the answer that made it, and nowhere else."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta, Struct

from wherry.faces.api.answers import created, deleted, ok
from wherry.faces.api.documents import Links, TokenDocument, token_document
from wherry.faces.api.routes import Ask, Routes
from wherry.services import tokens as services

routes = Routes("tokens")


class NewToken(Struct, forbid_unknown_fields=True):
    name: str
    role: str | None = None
    user: str | None = None
    days: Annotated[int, Meta(ge=1, le=services.MAX_DAYS)] = services.DAYS


class TokenList(Struct):
    tokens: list[TokenDocument]
    links: Links


@routes.on("GET", "/api/tokens", needs="read", answers=TokenList)
def list_tokens(ask: Ask) -> Response:
    """look at tokens"""
    return ok(TokenList([token_document(token) for token in services.every(ask.platform, ask.actor)], {"self": "/api/tokens"}))


@routes.on("POST", "/api/tokens", needs="deploy", body=NewToken, answers=TokenDocument, status=201)
def create_token(ask: Ask, body: NewToken) -> Response:
    """make tokens"""
    token, secret = services.create(ask.platform, ask.actor, body.name, body.role, body.user, body.days)
    return created(token_document(token, secret.reveal()), f"/api/tokens/{token.prefix}")


@routes.on("GET", "/api/tokens/<name>", needs="read", answers=TokenDocument)
def show_token(ask: Ask, name: str) -> Response:
    """look at tokens"""
    return ok(token_document(services.get(ask.platform, ask.actor, name)))


@routes.on("DELETE", "/api/tokens/<name>", needs="deploy", status=204)
def revoke_token(ask: Ask, name: str) -> Response:
    """revoke tokens"""
    services.revoke(ask.platform, ask.actor, name)
    return deleted()
