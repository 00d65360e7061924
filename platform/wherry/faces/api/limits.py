"""Sizes and limits: `/api/sizes`, `/api/apps/<app>/limits`."""

from __future__ import annotations

from typing import Any

from flask import Response
from msgspec import Struct

from wherry.errors import InvalidInput
from wherry.faces.api.answers import accepted, ok
from wherry.faces.api.documents import Links, OperationDocument
from wherry.faces.api.routes import Ask, Routes
from wherry.model.limits import SIZES, limits_of
from wherry.services import limits as services

routes = Routes("limits")
MEGABYTE = 1024 * 1024


class SizeDocument(Struct):
    """`memory` is bytes, `share` the weight for the CPU, `pids` the most processes and threads."""

    name: str
    memory: int
    share: int
    pids: int


class SizeList(Struct):
    """`default_memory` is what an instance without a size gets; `memory` and `cpu` are what this machine has."""

    sizes: list[SizeDocument]
    default_memory: int
    memory: int
    cpu: int
    links: Links


class LimitDocument(Struct):
    """`size` is null without a named one, `cpu` null without a cap; `set` says that a person or the source asked for it."""

    size: str | None
    memory: int
    share: int
    cpu: float | None
    pids: int
    set: bool


class LimitsDocument(Struct):
    app: str
    limits: dict[str, LimitDocument]
    links: Links


@routes.on("GET", "/api/sizes", needs="read", answers=SizeList)
def list_sizes(ask: Ask) -> Response:
    """look at sizes"""
    sizes = [SizeDocument(name, size.memory * MEGABYTE, size.share, size.pids) for name, size in SIZES.items()]
    room = services.room()
    default = ask.platform.settings.instance_memory * MEGABYTE
    return ok(SizeList(sizes, default, room.memory * MEGABYTE, room.cpu, {"self": "/api/sizes"}))


@routes.on("GET", "/api/apps/<app>/limits", needs="read", answers=LimitsDocument)
def show_limits(ask: Ask, app: str) -> Response:
    """look at limits"""
    found = services.of_app(ask.platform, ask.actor, app)
    shown = {process: _document(wish, ask.platform.settings.instance_memory) for process, wish in found.items()}
    return ok(LimitsDocument(app, shown, {"self": f"/api/apps/{app}/limits", "app": f"/api/apps/{app}", "sizes": "/api/sizes"}))


@routes.on("PATCH", "/api/apps/<app>/limits", needs="deploy", body=dict[str, Any], answers=OperationDocument, status=202)
def change_limits(ask: Ask, app: str, body: dict[str, Any]) -> Response:
    """change limits"""
    return accepted(services.change(ask.platform, ask.actor, app, {process: _change(process, value) for process, value in body.items()}))


def _change(process: str, value: Any) -> dict[str, Any]:
    """The name of a size alone stands for `{"size": name}`, null for the default."""
    if isinstance(value, dict):
        return value
    if value is None or isinstance(value, str):
        return {"size": value}
    raise InvalidInput(f'{process}: give a size or an object, e.g. "medium" or {{"memory": "300m"}}', field=process)


def _document(wish: dict[str, Any], default_memory: int) -> LimitDocument:
    found = limits_of(wish, default_memory)
    return LimitDocument(wish.get("size"), found.memory * MEGABYTE, found.share, found.cpu, found.pids, bool(wish))
