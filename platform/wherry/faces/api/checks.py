"""Health checks of an app: look, set, switch off and on, ask now: `/api/apps/<app>/checks`."""

from __future__ import annotations

from typing import Any

from flask import Response
from msgspec import Struct, field

from wherry.faces.api.answers import accepted, ok
from wherry.faces.api.documents import Links, OperationDocument
from wherry.faces.api.routes import Ask, Routes
from wherry.model.check import HealthCheck
from wherry.model.check_settings import DISABLED, NUMBERS, SKIPPED
from wherry.services import checks as services

routes = Routes("checks")


class CheckDocument(Struct):
    """`asks` says in a few words what is asked; times are seconds."""

    type: str
    name: str
    asks: str
    timeout: int
    attempts: int
    wait: int


class ChecksDocument(Struct):
    """`set` are the numbers that somebody set; `boot`, `drain` and `bake` are those in force."""

    app: str
    checks: dict[str, list[CheckDocument]]
    disabled: list[str]
    skipped: list[str]
    set: dict[str, int]
    boot: int
    drain: int
    bake: int
    links: Links


class Types(Struct, forbid_unknown_fields=True):
    """Process types; none at all means all of them."""

    types: list[str] = field(default_factory=list)


class Asked(Struct, forbid_unknown_fields=True):
    instance: str | None = None


@routes.on("GET", "/api/apps/<app>/checks", needs="read", answers=ChecksDocument)
def show_checks(ask: Ask, app: str) -> Response:
    """look at checks"""
    found = services.of_app(ask.platform, ask.actor, app)
    asked = {process: [_document(check) for check in checks] for process, checks in found.asked.items()}
    given = {name: found.settings[name] for name in NUMBERS if name in found.settings}
    lists = (list(found.settings.get(DISABLED, [])), list(found.settings.get(SKIPPED, [])))
    numbers = (found.numbers["boot"], found.numbers["drain"], found.numbers["bake"])
    at = f"/api/apps/{app}"
    return ok(ChecksDocument(app, asked, *lists, given, *numbers, {"self": f"{at}/checks", "app": at}))


@routes.on("PATCH", "/api/apps/<app>/checks", needs="deploy", body=dict[str, Any], answers=OperationDocument, status=202)
def set_checks(ask: Ask, app: str, body: dict[str, Any]) -> Response:
    """set checks"""
    return accepted(services.set_numbers(ask.platform, ask.actor, app, body))


@routes.on("POST", "/api/apps/<app>/checks/actions/disable", needs="deploy", body=Types, answers=OperationDocument, status=202)
def disable_checks(ask: Ask, app: str, body: Types) -> Response:
    """disable checks"""
    return accepted(services.disable(ask.platform, ask.actor, app, body.types))


@routes.on("POST", "/api/apps/<app>/checks/actions/skip", needs="deploy", body=Types, answers=OperationDocument, status=202)
def skip_checks(ask: Ask, app: str, body: Types) -> Response:
    """skip checks"""
    return accepted(services.skip(ask.platform, ask.actor, app, body.types))


@routes.on("POST", "/api/apps/<app>/checks/actions/enable", needs="deploy", body=Types, answers=OperationDocument, status=202)
def enable_checks(ask: Ask, app: str, body: Types) -> Response:
    """enable checks"""
    return accepted(services.enable(ask.platform, ask.actor, app, body.types))


@routes.on("POST", "/api/apps/<app>/checks/actions/run", needs="deploy", body=Asked, answers=OperationDocument, status=202)
def run_checks(ask: Ask, app: str, body: Asked) -> Response:
    """run checks"""
    return accepted(services.run(ask.platform, ask.actor, app, body.instance))


def _document(check: HealthCheck) -> CheckDocument:
    return CheckDocument(check.type, check.name, check.what, check.timeout, check.tries, check.pause)
