"""How many instances of each process type shall run: `/api/apps/<app>/formation`."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response
from msgspec import Struct

from wherry.errors import NotFound
from wherry.faces.api.answers import accepted, ok
from wherry.faces.api.documents import Links, OperationDocument
from wherry.faces.api.routes import Ask, Routes
from wherry.model.process import check_quantity
from wherry.services import formation as services
from wherry.services import releases

routes = Routes("formation")


class FormationDocument(Struct):
    app: str
    formation: dict[str, int]
    links: Links


class ProcessDocument(Struct):
    app: str
    type: str
    quantity: int
    command: str
    links: Links


class Quantity(Struct, forbid_unknown_fields=True):
    quantity: Any


@routes.on("GET", "/api/apps/<app>/formation", needs="read", answers=FormationDocument)
def show_formation(ask: Ask, app: str) -> Response:
    """look at the formation"""
    found = services.of_app(ask.platform, ask.actor, app)
    return ok(FormationDocument(app, found, {"self": f"/api/apps/{app}/formation", "app": f"/api/apps/{app}"}))


@routes.on("PATCH", "/api/apps/<app>/formation", needs="deploy", body=dict[str, Any], answers=OperationDocument, status=202)
def scale(ask: Ask, app: str, body: dict[str, Any]) -> Response:
    """scale an app"""
    wished = {process: _whole(process, quantity) for process, quantity in body.items()}
    return accepted(services.scale(ask.platform, ask.actor, app, wished))


@routes.on("GET", "/api/apps/<app>/formation/<process>", needs="read", answers=ProcessDocument)
def show_process(ask: Ask, app: str, process: str) -> Response:
    """look at a process type"""
    quantities = services.of_app(ask.platform, ask.actor, app)
    if process not in quantities:
        raise NotFound(f"{app} has no process {process[:40]!a}", code="no_such_process")
    release = releases.current(ask.platform, ask.actor, app)
    command = release.build.processes.get(process, "") if release else ""
    return ok(ProcessDocument(app, process, quantities[process], command, {"self": f"/api/apps/{app}/formation/{process}"}))


@routes.on("PUT", "/api/apps/<app>/formation/<process>", needs="deploy", body=Quantity, answers=OperationDocument, status=202)
def scale_process(ask: Ask, app: str, process: str, body: Quantity) -> Response:
    """scale a process type"""
    return accepted(services.scale(ask.platform, ask.actor, app, {process: _whole(process, body.quantity)}))


def _whole(process: str, quantity: Any) -> int:
    """JSON has numbers: the digits that a command line would take, `"2"`, are refused as they were written."""
    return check_quantity(process, quantity if type(quantity) is int else msgspec.json.encode(quantity).decode())
