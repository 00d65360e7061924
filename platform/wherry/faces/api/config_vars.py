"""Config vars: `/api/apps/<app>/config-vars`. One request is one release, however many keys it changes."""

from __future__ import annotations

from typing import Any

from flask import Response
from msgspec import Struct

from wherry.errors import NotFound
from wherry.faces.api.answers import accepted, changed, ok, path
from wherry.faces.api.documents import Links, OperationDocument
from wherry.faces.api.routes import Ask, Routes
from wherry.services import config_vars as services

routes = Routes("config_vars")


class ConfigVars(Struct):
    app: str
    config_vars: dict[str, str]
    links: Links


class ConfigVar(Struct):
    app: str
    key: str
    value: str
    links: Links


class Value(Struct, forbid_unknown_fields=True):
    value: str


@routes.on("GET", "/api/apps/<app>/config-vars", needs="deploy", answers=ConfigVars)
def list_config(ask: Ask, app: str) -> Response:
    """read config vars"""
    found = services.of_app(ask.platform, ask.actor, app)
    return ok(ConfigVars(app, found, {"self": f"/api/apps/{app}/config-vars", "app": f"/api/apps/{app}"}))


@routes.on("PATCH", "/api/apps/<app>/config-vars", needs="deploy", body=dict[str, Any], answers=OperationDocument, status=202)
def change_config(ask: Ask, app: str, body: dict[str, Any]) -> Response:
    """change config vars"""
    return _change(ask, app, body)


@routes.on("GET", "/api/apps/<app>/config-vars/<key>", needs="deploy", answers=ConfigVar)
def show_config_var(ask: Ask, app: str, key: str) -> Response:
    """read config vars"""
    return ok(ConfigVar(app, key, _value(ask, app, key), {"self": path("apps", app, "config-vars", key)}))


@routes.on("PUT", "/api/apps/<app>/config-vars/<key>", needs="deploy", body=Value, answers=OperationDocument, status=202)
def set_config_var(ask: Ask, app: str, key: str, body: Value) -> Response:
    """change config vars"""
    return _change(ask, app, {key: body.value})


@routes.on("DELETE", "/api/apps/<app>/config-vars/<key>", needs="deploy", answers=OperationDocument, status=202)
def remove_config_var(ask: Ask, app: str, key: str) -> Response:
    """change config vars"""
    _value(ask, app, key)
    return _change(ask, app, {key: None})


def _change(ask: Ask, app: str, changes: dict[str, Any]) -> Response:
    operation = services.change(ask.platform, ask.actor, app, changes)
    return accepted(operation) if operation else changed(f"{app} has these values from its first deploy on")


def _value(ask: Ask, app: str, key: str) -> str:
    found = services.of_app(ask.platform, ask.actor, app)
    if key not in found:
        raise NotFound(f"{app} has no config var {key[:60]!a}", code="no_such_config_var", hint=f"See them with: wherry config {app}")
    return found[key]
