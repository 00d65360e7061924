"""Config vars of all apps: `/api/config-vars`. A change is set at once, and is a release of each app that it reaches."""

from __future__ import annotations

from typing import Any

from flask import Response
from msgspec import Struct

from wherry.faces.api.answers import ok
from wherry.faces.api.config_vars import Restart
from wherry.faces.api.documents import Links, OperationDocument, operation_document
from wherry.faces.api.routes import Ask, Routes
from wherry.model.operation import Operation
from wherry.services import global_config as services

routes = Routes("global_config")

LINKS = {"self": "/api/config-vars"}


class GlobalConfigVars(Struct):
    config_vars: dict[str, str]
    links: Links


class GlobalChange(Struct):
    """`operations` has the release of each app that is reached, on its way."""

    changed: bool
    message: str
    operations: list[OperationDocument]
    links: Links


@routes.on("GET", "/api/config-vars", needs="deploy", answers=GlobalConfigVars)
def list_global_config(ask: Ask) -> Response:
    """read the global config vars"""
    return ok(GlobalConfigVars(services.every(ask.platform, ask.actor), LINKS))


@routes.on("PATCH", "/api/config-vars", needs="admin", body=dict[str, Any], query=Restart, answers=GlobalChange)
def change_global_config(ask: Ask, body: dict[str, Any], query: Restart) -> Response:
    """change the global config vars"""
    return _told(services.change(ask.platform, ask.actor, body, query.restart))


@routes.on("DELETE", "/api/config-vars", needs="admin", query=Restart, answers=GlobalChange)
def clear_global_config(ask: Ask, query: Restart) -> Response:
    """remove all global config vars"""
    return _told(services.clear(ask.platform, ask.actor, query.restart))


def _told(queued: list[Operation]) -> Response:
    apps = ", ".join(operation.app for operation in queued)
    reach = f"a release of {apps}" if apps else "no app that runs has other values for it"
    message = f"the global config is changed; {reach}"
    return ok(GlobalChange(True, message, [operation_document(operation) for operation in queued], LINKS))
