"""Apps: `/api/apps`."""

from __future__ import annotations

from typing import Any

from flask import Response
from msgspec import Struct

from wherry.faces.api.answers import Nothing, accepted, created, ok
from wherry.faces.api.documents import AppDocument, Links, OperationDocument, app_document
from wherry.faces.api.routes import Ask, Routes
from wherry.model.app import App
from wherry.services import apps as services
from wherry.services import formation, locks

routes = Routes("apps")


class NewApp(Struct, forbid_unknown_fields=True):
    name: str


class Confirm(Struct, forbid_unknown_fields=True):
    confirm: str = ""


class AppQuery(Struct, forbid_unknown_fields=True):
    label: str = ""


class NewName(Struct, forbid_unknown_fields=True):
    name: str


class NewClone(Struct, forbid_unknown_fields=True):
    name: str
    deploy: bool = True


class LabelsDocument(Struct):
    app: str
    labels: dict[str, str]
    links: Links


class NewLock(Struct, forbid_unknown_fields=True):
    why: str = ""


class AppList(Struct):
    apps: list[AppDocument]
    links: Links


def shown(ask: Ask, app: App) -> AppDocument:
    return app_document(ask.platform.settings, app, formation.of_app(ask.platform, ask.actor, app.name))


@routes.on("GET", "/api/apps", needs="read", query=AppQuery, answers=AppList)
def list_apps(ask: Ask, query: AppQuery) -> Response:
    """list the apps"""
    apps = services.every(ask.platform, ask.actor, query.label)
    return ok(AppList([shown(ask, app) for app in apps], {"self": "/api/apps"}))


@routes.on("POST", "/api/apps", needs="deploy", body=NewApp, answers=AppDocument, status=201)
def create_app(ask: Ask, body: NewApp) -> Response:
    """create an app"""
    app = services.create(ask.platform, ask.actor, body.name)
    return created(shown(ask, app), f"/api/apps/{app.name}")


@routes.on("GET", "/api/apps/<app>", needs="read", answers=AppDocument)
def show_app(ask: Ask, app: str) -> Response:
    """look at an app"""
    return ok(shown(ask, services.get(ask.platform, ask.actor, app)))


@routes.on("DELETE", "/api/apps/<app>", needs="deploy", query=Confirm, answers=OperationDocument, status=202)
def destroy_app(ask: Ask, app: str, query: Confirm) -> Response:
    """destroy an app"""
    return accepted(services.destroy(ask.platform, ask.actor, app, query.confirm))


@routes.on("POST", "/api/apps/<app>/actions/rename", needs="deploy", body=NewName, answers=OperationDocument, status=202)
def rename_app(ask: Ask, app: str, body: NewName) -> Response:
    """rename an app"""
    return accepted(services.rename(ask.platform, ask.actor, app, body.name))


@routes.on("POST", "/api/apps/<app>/actions/clone", needs="deploy", body=NewClone, answers=OperationDocument, status=202, on_locked=True)
def clone_app(ask: Ask, app: str, body: NewClone) -> Response:
    """clone an app"""
    return accepted(services.clone(ask.platform, ask.actor, app, body.name, body.deploy))


@routes.on("GET", "/api/apps/<app>/labels", needs="read", answers=LabelsDocument)
def show_labels(ask: Ask, app: str) -> Response:
    """look at labels"""
    return ok(_labels(services.get(ask.platform, ask.actor, app)))


@routes.on("PATCH", "/api/apps/<app>/labels", needs="deploy", body=dict[str, Any], answers=LabelsDocument)
def change_labels(ask: Ask, app: str, body: dict[str, Any]) -> Response:
    """change labels"""
    return ok(_labels(services.label(ask.platform, ask.actor, app, body)))


@routes.on("PUT", "/api/apps/<app>/lock", needs="deploy", body=NewLock, answers=AppDocument, on_locked=True)
def lock_app(ask: Ask, app: str, body: NewLock) -> Response:
    """lock an app"""
    return ok(shown(ask, locks.lock(ask.platform, ask.actor, app, body.why)))


@routes.on("DELETE", "/api/apps/<app>/lock", needs="deploy", answers=AppDocument, on_locked=True)
def unlock_app(ask: Ask, app: str) -> Response:
    """unlock an app"""
    return ok(shown(ask, locks.unlock(ask.platform, ask.actor, app)))


def _labels(app: App) -> LabelsDocument:
    return LabelsDocument(app.name, app.labels, {"self": f"/api/apps/{app.name}/labels", "app": f"/api/apps/{app.name}"})


@routes.on("POST", "/api/apps/<app>/actions/restart", needs="deploy", body=Nothing, answers=OperationDocument, status=202)
def restart_app(ask: Ask, app: str, body: Nothing) -> Response:
    """restart an app"""
    return accepted(formation.restart(ask.platform, ask.actor, app))


@routes.on("POST", "/api/apps/<app>/actions/stop", needs="deploy", body=Nothing, answers=OperationDocument, status=202)
def stop_app(ask: Ask, app: str, body: Nothing) -> Response:
    """stop an app"""
    return accepted(formation.stop(ask.platform, ask.actor, app))


@routes.on("POST", "/api/apps/<app>/actions/start", needs="deploy", body=Nothing, answers=OperationDocument, status=202)
def start_app(ask: Ask, app: str, body: Nothing) -> Response:
    """start an app"""
    return accepted(formation.start(ask.platform, ask.actor, app))
