"""One-off commands and shells in instances: `/api/apps/<app>/runs`. Attached ones are met over an upgraded connection."""

from __future__ import annotations

from typing import Annotated

from flask import Response, request
from msgspec import Meta, Struct

from wherry.errors import BadRequest
from wherry.faces.api.answers import Nothing, created, ok
from wherry.faces.api.bridge import bridged
from wherry.faces.api.documents import Links, RunDocument, run_document
from wherry.faces.api.problems import TransportError
from wherry.faces.api.routes import Ask, Routes
from wherry.model import wire
from wherry.model.run import check_screen, parse_name
from wherry.services import runs as services

routes = Routes("runs")
MEGABYTE = 1024 * 1024


class Terminal(Struct, forbid_unknown_fields=True):
    rows: int = 24
    columns: int = 80
    term: Annotated[str, Meta(max_length=100)] = "xterm"


class NewRun(Struct, forbid_unknown_fields=True):
    """`instance` makes it a shell inside that instance. `memory` is bytes, `time_limit` seconds."""

    command: list[str] = []
    attached: bool = True
    terminal: Terminal | None = None
    instance: str | None = None
    memory: Annotated[int, Meta(ge=MEGABYTE)] | None = None
    time_limit: int | None = None


class RunQuery(Struct, forbid_unknown_fields=True):
    ended: bool = False


class RunList(Struct):
    app: str
    runs: list[RunDocument]
    links: Links


@routes.on("GET", "/api/apps/<app>/runs", needs="read", query=RunQuery, answers=RunList)
def list_runs(ask: Ask, app: str, query: RunQuery) -> Response:
    """look at runs"""
    found = services.of_app(ask.platform, ask.actor, app, query.ended)
    return ok(RunList(app, [run_document(run) for run in found], {"self": f"/api/apps/{app}/runs", "app": f"/api/apps/{app}"}))


@routes.on("POST", "/api/apps/<app>/runs", needs="deploy", body=NewRun, answers=RunDocument, status=201, on_locked=True)
def start_run(ask: Ask, app: str, body: NewRun) -> Response:
    """run commands"""
    screen = check_screen(body.terminal.rows, body.terminal.columns, body.terminal.term) if body.terminal else None
    if body.instance is not None:
        if not body.attached or body.memory or body.time_limit:
            raise BadRequest("instance: only with command and terminal", field="instance")
        run, ticket = services.enter(ask.platform, ask.actor, app, body.instance, body.command, screen)
    else:
        memory = body.memory // MEGABYTE if body.memory else None
        wanted = services.Wanted(body.command, body.attached, screen, memory, body.time_limit)
        run, ticket = services.start(ask.platform, ask.actor, app, wanted)
    return created(run_document(run, ticket), f"/api/apps/{app}/runs/{run.name}")


@routes.on("GET", "/api/apps/<app>/runs/<run>", needs="read", answers=RunDocument)
def show_run(ask: Ask, app: str, run: str) -> Response:
    """look at runs"""
    return ok(run_document(services.get(ask.platform, ask.actor, app, parse_name(run))))


@routes.on("POST", "/api/apps/<app>/runs/<run>/actions/stop", needs="deploy", body=Nothing, answers=RunDocument, on_locked=True)
def stop_run(ask: Ask, app: str, run: str, body: Nothing) -> Response:
    """stop runs"""
    return ok(run_document(services.stop(ask.platform, ask.actor, app, parse_name(run))))


@routes.on("POST", "/api/apps/<app>/runs/<run>/actions/attach", needs="deploy", body=Nothing, status=101, on_locked=True)
def attach_run(ask: Ask, app: str, run: str, body: Nothing) -> Response:
    """attach to runs"""
    services.get(ask.platform, ask.actor, app, parse_name(run))
    if request.headers.get("Upgrade", "").lower() != wire.PROTOCOL:
        raise TransportError(426, f"send Upgrade: {wire.PROTOCOL} and Connection: Upgrade", code="upgrade_required", field="Upgrade")
    body_of = bridged(ask.platform.settings.attach_socket, request.environ["gunicorn.socket"], lambda: ask.followers.stopping)
    return ask.followers.stream(body_of, "application/octet-stream", request._get_current_object())  # type: ignore[attr-defined]
