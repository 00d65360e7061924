"""Certificates: `/api/apps/<app>/certificates`. Keys go in and never come out."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response
from msgspec import Struct

from wherry.faces.api.answers import Nothing, created, deleted, ok, path
from wherry.faces.api.documents import Links
from wherry.faces.api.routes import Ask, Routes
from wherry.model.certificate import Certificate
from wherry.services import apps
from wherry.services import certificates as services
from wherry.services.certificates import Shown

routes = Routes("certificates")


class CertificateDocument(Struct):
    """`state` is `none` for a domain without a certificate; then `error` says why."""

    app: str
    name: str
    origin: str
    state: str
    names: list[str]
    issuer: str
    serial: str
    fingerprint: str
    not_before: str | None
    not_after: str | None
    renew_at: str | None
    next_try: str | None
    attempts: int
    error: str
    links: Links


class CertificateList(Struct):
    app: str
    auto: bool
    certificates: list[CertificateDocument]
    links: Links


class NewCertificate(Struct, forbid_unknown_fields=True):
    pem: str


class AutoChange(Struct, forbid_unknown_fields=True):
    auto: bool


@routes.on("GET", "/api/apps/<app>/certificates", needs="read", answers=CertificateList)
def list_certificates(ask: Ask, app: str) -> Response:
    """look at certificates"""
    return ok(listed(ask, app))


@routes.on("POST", "/api/apps/<app>/certificates", needs="deploy", body=NewCertificate, answers=CertificateDocument, status=201)
def add_certificate(ask: Ask, app: str, body: NewCertificate) -> Response:
    """add certificates"""
    row, _ = services.add(ask.platform, ask.actor, app, body.pem)
    return created(document(row), at(app, row.name))


@routes.on("PATCH", "/api/apps/<app>/certificates", needs="deploy", body=AutoChange, answers=CertificateList)
def switch_certificates(ask: Ask, app: str, body: AutoChange) -> Response:
    """switch automatic certificates"""
    services.set_auto(ask.platform, ask.actor, app, body.auto)
    return ok(listed(ask, app))


@routes.on("GET", "/api/apps/<app>/certificates/<name>", needs="read", answers=CertificateDocument)
def show_certificate(ask: Ask, app: str, name: str) -> Response:
    """look at certificates"""
    return ok(document(services.get(ask.platform, ask.actor, app, name)))


@routes.on("DELETE", "/api/apps/<app>/certificates/<name>", needs="deploy", status=204)
def remove_certificate(ask: Ask, app: str, name: str) -> Response:
    """remove certificates"""
    services.remove(ask.platform, ask.actor, app, name)
    return deleted()


@routes.on("POST", "/api/apps/<app>/certificates/<name>/actions/renew", needs="deploy", body=Nothing, answers=CertificateDocument)
def renew_certificate(ask: Ask, app: str, name: str, body: Nothing) -> Response:
    """renew certificates"""
    return ok(document(services.renew(ask.platform, ask.actor, app, name)))


def listed(ask: Ask, app: str) -> CertificateList:
    auto = apps.get(ask.platform, ask.actor, app).front.certs_auto
    found = [shown(app, one) for one in services.of_app(ask.platform, ask.actor, app)]
    return CertificateList(app, auto, found, {"self": path("apps", app, "certificates"), "app": path("apps", app)})


def shown(app: str, one: Shown) -> CertificateDocument:
    if one.row is not None:
        return document(one.row)
    links = {"app": path("apps", app)}
    return CertificateDocument(app, one.name, "", "none", [], "", "", "", None, None, None, None, 0, one.reason, links)


def document(row: Certificate) -> CertificateDocument:
    facts = row.facts
    return CertificateDocument(
        row.app,
        row.name,
        row.origin,
        row.state,
        list(facts.names) if facts else [],
        facts.issuer if facts else "",
        facts.serial if facts else "",
        facts.fingerprint if facts else "",
        facts.not_before if facts else None,
        facts.not_after if facts else None,
        row.renew_at or None,
        row.next_try or None,
        row.attempts,
        row.error,
        {"self": at(row.app, row.name), "app": path("apps", row.app), "renew": f"{at(row.app, row.name)}/actions/renew"},
    )


def at(app: str, name: str) -> str:
    return f"{path('apps', app, 'certificates')}/{quote(name, safe='*')}"
