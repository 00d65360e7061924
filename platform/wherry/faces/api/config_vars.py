"""Config vars of an app: `/api/apps/<app>/config-vars`. One request is one release, however many keys it changes."""

from __future__ import annotations

from typing import Any

from flask import Response
from msgspec import Struct

from wherry.errors import NotFound
from wherry.faces.api.answers import accepted, changed, ok, path
from wherry.faces.api.documents import Links, OperationDocument
from wherry.faces.api.routes import Ask, Routes
from wherry.model.operation import Operation
from wherry.services import config_vars as services

routes = Routes("config_vars")


class ConfigVars(Struct):
    """`config_vars` are in force from the next release on, `global_keys` name those that are not the app's own, `waiting`
    those whose value the instances do not have yet."""

    app: str
    config_vars: dict[str, str]
    global_keys: list[str]
    waiting: list[str]
    links: Links


class ConfigVar(Struct):
    app: str
    key: str
    value: str
    links: Links


class Value(Struct, forbid_unknown_fields=True):
    value: str


class Restart(Struct, forbid_unknown_fields=True):
    """Without `restart` instances stay as they are until they are next replaced."""

    restart: bool = True


@routes.on("GET", "/api/apps/<app>/config-vars", needs="deploy", answers=ConfigVars)
def list_config(ask: Ask, app: str) -> Response:
    """read config vars"""
    found = services.shown(ask.platform, ask.actor, app)
    links = {"self": f"/api/apps/{app}/config-vars", "app": f"/api/apps/{app}"}
    return ok(ConfigVars(app, found.values, sorted(found.values.keys() - found.own.keys()), found.waiting, links))


@routes.on(
    "PATCH", "/api/apps/<app>/config-vars", needs="deploy", body=dict[str, Any], query=Restart, answers=OperationDocument, status=202
)
def change_config(ask: Ask, app: str, body: dict[str, Any], query: Restart) -> Response:
    """change config vars"""
    return _told(app, services.change(ask.platform, ask.actor, app, body, query.restart))


@routes.on("DELETE", "/api/apps/<app>/config-vars", needs="deploy", query=Restart, answers=OperationDocument, status=202)
def clear_config(ask: Ask, app: str, query: Restart) -> Response:
    """remove all config vars"""
    return _told(app, services.clear(ask.platform, ask.actor, app, query.restart))


@routes.on("GET", "/api/apps/<app>/config-vars/<key>", needs="deploy", answers=ConfigVar)
def show_config_var(ask: Ask, app: str, key: str) -> Response:
    """read config vars"""
    return ok(ConfigVar(app, key, _value(ask, app, key), {"self": path("apps", app, "config-vars", key)}))


@routes.on("PUT", "/api/apps/<app>/config-vars/<key>", needs="deploy", body=Value, answers=OperationDocument, status=202)
def set_config_var(ask: Ask, app: str, key: str, body: Value) -> Response:
    """change config vars"""
    return _told(app, services.change(ask.platform, ask.actor, app, {key: body.value}))


@routes.on("DELETE", "/api/apps/<app>/config-vars/<key>", needs="deploy", answers=OperationDocument, status=202)
def remove_config_var(ask: Ask, app: str, key: str) -> Response:
    """change config vars"""
    _value(ask, app, key)
    return _told(app, services.change(ask.platform, ask.actor, app, {key: None}))


def _told(app: str, operation: Operation | None) -> Response:
    return accepted(operation) if operation else changed(f"{app} has these values from its first deploy on")


def _value(ask: Ask, app: str, key: str) -> str:
    found = services.of_app(ask.platform, ask.actor, app)
    if key not in found:
        raise NotFound(f"{app} has no config var {key[:60]!a}", code="no_such_config_var", hint=f"See them with: wherry config {app}")
    return found[key]
