"""Domains: `/api/apps/<app>/domains`. A change is live within moments; `live` says whether it is already."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response
from msgspec import Struct, field

from wherry.errors import NotFound
from wherry.faces.api.answers import created, deleted, ok, path
from wherry.faces.api.documents import Links
from wherry.faces.api.routes import Ask, Routes
from wherry.model.app import App
from wherry.routing.front import hosts_of, secure_hosts
from wherry.routing.hosts import covers, normalise_domain, readable
from wherry.services import apps
from wherry.services import domains as services

routes = Routes("domains")


class DomainDocument(Struct):
    """`host` is the name as browsers ask for it, `readable` as people write it (`bücher.de`); `default` is the host that the app's name
    gives it; `secure` says that visitors are sent to HTTPS."""

    app: str
    host: str
    readable: str
    default: bool
    secure: bool
    certified: bool
    links: Links


class DomainList(Struct):
    domains: list[DomainDocument]
    live: bool
    links: Links


class NewDomain(Struct, forbid_unknown_fields=True):
    host: str


class DomainChanges(Struct, forbid_unknown_fields=True):
    add: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)


class DomainSet(Struct, forbid_unknown_fields=True):
    hosts: list[str]


@routes.on("GET", "/api/domains", needs="read", answers=DomainList)
def list_all_domains(ask: Ask) -> Response:
    """look at domains"""
    found = [document for app in apps.every(ask.platform, ask.actor) for document in documents(ask, app)]
    return ok(DomainList(found, True, {"self": "/api/domains"}))


@routes.on("GET", "/api/apps/<app>/domains", needs="read", answers=DomainList)
def list_domains(ask: Ask, app: str) -> Response:
    """look at domains"""
    return ok(listed(ask, apps.get(ask.platform, ask.actor, app), True))


@routes.on("POST", "/api/apps/<app>/domains", needs="deploy", body=NewDomain, answers=DomainDocument, status=201)
def add_domain(ask: Ask, app: str, body: NewDomain) -> Response:
    """add domains"""
    faced = services.change(ask.platform, ask.actor, app, [body.host], [])
    return created(document(ask, faced.app, normalise_domain(body.host)), at(app, normalise_domain(body.host)))


@routes.on("PATCH", "/api/apps/<app>/domains", needs="deploy", body=DomainChanges, answers=DomainList)
def change_domains(ask: Ask, app: str, body: DomainChanges) -> Response:
    """change domains"""
    faced = services.change(ask.platform, ask.actor, app, body.add, body.remove)
    return ok(listed(ask, faced.app, faced.live))


@routes.on("PUT", "/api/apps/<app>/domains", needs="deploy", body=DomainSet, answers=DomainList)
def set_domains(ask: Ask, app: str, body: DomainSet) -> Response:
    """change domains"""
    faced = services.set_all(ask.platform, ask.actor, app, body.hosts)
    return ok(listed(ask, faced.app, faced.live))


@routes.on("GET", "/api/apps/<app>/domains/<name>", needs="read", answers=DomainDocument)
def show_domain(ask: Ask, app: str, name: str) -> Response:
    """look at domains"""
    found = next((one for one in documents(ask, apps.get(ask.platform, ask.actor, app)) if one.host == normalise_domain(name)), None)
    if found is None:
        raise NotFound(f"{app} has no domain {name[:80]!a}", code="no_such_domain", hint=f"See them with: wherry domains {app}")
    return ok(found)


@routes.on("DELETE", "/api/apps/<app>/domains/<name>", needs="deploy", status=204)
def remove_domain(ask: Ask, app: str, name: str) -> Response:
    """remove domains"""
    services.change(ask.platform, ask.actor, app, [], [name])
    return deleted()


def listed(ask: Ask, app: App, live: bool) -> DomainList:
    return DomainList(documents(ask, app), live, {"self": path("apps", app.name, "domains"), "app": path("apps", app.name)})


def documents(ask: Ask, app: App) -> list[DomainDocument]:
    return [document(ask, app, host) for host in hosts_of(app, ask.platform.settings)]


def document(ask: Ask, app: App, host: str) -> DomainDocument:
    settings = ask.platform.settings
    certified = any(covers(name, host) for name in app.certified)
    links = {"self": at(app.name, host), "app": path("apps", app.name)}
    default, secure = host == settings.host_of(app.name), host in secure_hosts(app, settings)
    return DomainDocument(app.name, host, readable(host), default, secure, certified, links)


def at(app: str, host: str) -> str:
    """The address of a domain; the star of a wildcard may stand in a path as it is."""
    return f"{path('apps', app, 'domains')}/{quote(host, safe='*')}"
