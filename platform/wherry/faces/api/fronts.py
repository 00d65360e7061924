"""How an app meets visitors: `/https`, `/allow`, `/logins` and `/maintenance` of `/api/apps/<app>`. Live within moments."""

from __future__ import annotations

from flask import Response
from msgspec import Struct, field

from wherry.faces.api.answers import created, deleted, ok, path
from wherry.faces.api.documents import Links
from wherry.faces.api.routes import Ask, Routes
from wherry.model.app import App
from wherry.services import apps
from wherry.services import fronts as services

routes = Routes("fronts")


class HttpsDocument(Struct):
    app: str
    redirect: str
    hsts: int
    hsts_subdomains: bool
    live: bool
    links: Links


class HttpsChange(Struct, forbid_unknown_fields=True):
    redirect: str | None = None
    hsts: int | None = None
    hsts_subdomains: bool | None = None


class AllowDocument(Struct):
    app: str
    addresses: list[str]
    live: bool
    links: Links


class AllowSet(Struct, forbid_unknown_fields=True):
    addresses: list[str]


class AllowChange(Struct, forbid_unknown_fields=True):
    add: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)


class LoginList(Struct):
    app: str
    logins: list[str]
    links: Links


class NewLogin(Struct, forbid_unknown_fields=True):
    user: str
    password: str | None = None


class LoginDocument(Struct, omit_defaults=True):
    """`password` is there when the platform made it: in this answer, and never again."""

    app: str
    user: str
    live: bool
    links: Links
    password: str = ""


class MaintenanceDocument(Struct):
    app: str
    on: bool
    page: str
    live: bool
    links: Links


class MaintenanceChange(Struct, forbid_unknown_fields=True):
    on: bool
    page: str | None = None


@routes.on("GET", "/api/apps/<app>/https", needs="read", answers=HttpsDocument)
def show_https(ask: Ask, app: str) -> Response:
    """look at HTTPS"""
    return ok(https(apps.get(ask.platform, ask.actor, app), True))


@routes.on("PATCH", "/api/apps/<app>/https", needs="deploy", body=HttpsChange, answers=HttpsDocument)
def change_https(ask: Ask, app: str, body: HttpsChange) -> Response:
    """change HTTPS"""
    faced = services.set_https(ask.platform, ask.actor, app, body.redirect, body.hsts, body.hsts_subdomains)
    return ok(https(faced.app, faced.live))


@routes.on("GET", "/api/apps/<app>/allow", needs="read", answers=AllowDocument)
def show_allowed(ask: Ask, app: str) -> Response:
    """look at who is let in"""
    return ok(allowed(apps.get(ask.platform, ask.actor, app), True))


@routes.on("PUT", "/api/apps/<app>/allow", needs="deploy", body=AllowSet, answers=AllowDocument)
def set_allowed(ask: Ask, app: str, body: AllowSet) -> Response:
    """change who is let in"""
    faced = services.set_allowed(ask.platform, ask.actor, app, body.addresses)
    return ok(allowed(faced.app, faced.live))


@routes.on("PATCH", "/api/apps/<app>/allow", needs="deploy", body=AllowChange, answers=AllowDocument)
def change_allowed(ask: Ask, app: str, body: AllowChange) -> Response:
    """change who is let in"""
    faced = services.change_allowed(ask.platform, ask.actor, app, body.add, body.remove)
    return ok(allowed(faced.app, faced.live))


@routes.on("GET", "/api/apps/<app>/logins", needs="read", answers=LoginList)
def list_logins(ask: Ask, app: str) -> Response:
    """look at the logins of visitors"""
    found = apps.get(ask.platform, ask.actor, app)
    return ok(LoginList(app, sorted(found.front.users), links(app, "logins")))


@routes.on("POST", "/api/apps/<app>/logins", needs="deploy", body=NewLogin, answers=LoginDocument, status=201)
def add_login(ask: Ask, app: str, body: NewLogin) -> Response:
    """add logins of visitors"""
    faced, secret = services.add_login(ask.platform, ask.actor, app, body.user, body.password)
    at = path("apps", app, "logins", body.user)
    made = secret.reveal() if body.password is None else ""
    return created(LoginDocument(app, body.user, faced.live, {"self": at, "app": path("apps", app)}, made), at)


@routes.on("DELETE", "/api/apps/<app>/logins/<name>", needs="deploy", status=204)
def remove_login(ask: Ask, app: str, name: str) -> Response:
    """remove logins of visitors"""
    services.remove_login(ask.platform, ask.actor, app, name)
    return deleted()


@routes.on("GET", "/api/apps/<app>/maintenance", needs="read", answers=MaintenanceDocument)
def show_maintenance(ask: Ask, app: str) -> Response:
    """look at the maintenance page"""
    return ok(maintenance(ask, apps.get(ask.platform, ask.actor, app), True))


@routes.on("PUT", "/api/apps/<app>/maintenance", needs="deploy", body=MaintenanceChange, answers=MaintenanceDocument)
def set_maintenance(ask: Ask, app: str, body: MaintenanceChange) -> Response:
    """switch maintenance"""
    faced = services.set_maintenance(ask.platform, ask.actor, app, body.on, body.page)
    return ok(maintenance(ask, faced.app, faced.live))


def https(app: App, live: bool) -> HttpsDocument:
    front = app.front
    return HttpsDocument(app.name, front.redirect, front.hsts, front.hsts_subdomains, live, links(app.name, "https"))


def allowed(app: App, live: bool) -> AllowDocument:
    return AllowDocument(app.name, list(app.front.allow), live, links(app.name, "allow"))


def maintenance(ask: Ask, app: App, live: bool) -> MaintenanceDocument:
    page = services.page_of(ask.platform, ask.actor, app.name)
    return MaintenanceDocument(app.name, app.front.maintenance, page, live, links(app.name, "maintenance"))


def links(app: str, part: str) -> Links:
    return {"self": path("apps", app, part), "app": path("apps", app)}
