"""Users: `/api/users`, for admins."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta, Struct

from wherry.faces.api.answers import created, deleted, ok
from wherry.faces.api.documents import Links, UserDocument, user_document
from wherry.faces.api.routes import Ask, Routes
from wherry.services import users as services

routes = Routes("users")


class NewUser(Struct, forbid_unknown_fields=True):
    name: str
    role: str = "deploy"
    local_uid: Annotated[int, Meta(ge=0, le=2**32 - 2)] | None = None


class UserList(Struct):
    users: list[UserDocument]
    links: Links


@routes.on("GET", "/api/users", needs="admin", answers=UserList)
def list_users(ask: Ask) -> Response:
    """look at users"""
    return ok(UserList([user_document(user) for user in services.every(ask.platform, ask.actor)], {"self": "/api/users"}))


@routes.on("POST", "/api/users", needs="admin", body=NewUser, answers=UserDocument, status=201)
def add_user(ask: Ask, body: NewUser) -> Response:
    """add users"""
    user = services.add(ask.platform, ask.actor, body.name, body.role, body.local_uid)
    return created(user_document(user), f"/api/users/{user.name}")


@routes.on("GET", "/api/users/<name>", needs="admin", answers=UserDocument)
def show_user(ask: Ask, name: str) -> Response:
    """look at users"""
    return ok(user_document(services.get(ask.platform, ask.actor, name)))


@routes.on("DELETE", "/api/users/<name>", needs="admin", status=204)
def remove_user(ask: Ask, name: str) -> Response:
    """remove users"""
    services.remove(ask.platform, ask.actor, name)
    return deleted()
