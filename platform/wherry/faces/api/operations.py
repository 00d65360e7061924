"""Operations, what a 202 points to, and their logs: `/api/operations`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec
from flask import Response, request
from msgspec import Meta, Struct

from wherry.errors import InvalidInput, NotFound
from wherry.faces.api.answers import Nothing, accepted, ok
from wherry.faces.api.documents import Links, OperationDocument, operation_document
from wherry.faces.api.followers import EVENTS, JSON, TEXT, as_numbered_events, as_text, form_of
from wherry.faces.api.routes import Ask, Routes
from wherry.services import operations as services

routes = Routes("operations")
LARGEST = 2**53


class OperationQuery(Struct, forbid_unknown_fields=True):
    app: str | None = None


class OperationLogQuery(Struct, forbid_unknown_fields=True):
    offset: Annotated[int, Meta(ge=0, le=LARGEST)] = 0
    follow: bool = False


class OperationList(Struct):
    operations: list[OperationDocument]
    links: Links


class OperationLog(Struct):
    operation: int
    lines: list[str]
    offset: int
    links: Links


@routes.on("GET", "/api/operations", needs="read", query=OperationQuery, answers=OperationList)
def list_operations(ask: Ask, query: OperationQuery) -> Response:
    """look at operations"""
    found = services.recent(ask.platform, ask.actor, query.app)
    return ok(OperationList([operation_document(operation) for operation in found], {"self": "/api/operations"}))


@routes.on("GET", "/api/operations/<number>", needs="read", answers=OperationDocument)
def show_operation(ask: Ask, number: str) -> Response:
    """look at operations"""
    return ok(operation_document(services.get(ask.platform, ask.actor, number_of(number))))


@routes.on("POST", "/api/operations/<number>/actions/cancel", needs="deploy", body=Nothing, answers=OperationDocument, status=202)
def cancel_operation(ask: Ask, number: str, body: Nothing) -> Response:
    """cancel an operation"""
    operation = services.cancel(ask.platform, ask.actor, number_of(number))
    return ok(operation_document(operation)) if operation.done else accepted(operation)


@routes.on("GET", "/api/operations/<number>/log", needs="read", query=OperationLogQuery, answers=OperationLog)
def read_operation_log(ask: Ask, number: str, query: OperationLogQuery) -> Response:
    """read the log of an operation"""
    operation = number_of(number)
    form = form_of(request, query.follow)
    if query.follow:
        return _follow(ask, operation, _resumed(query.offset), form)
    lines, offset = services.log(ask.platform, ask.actor, operation, query.offset)
    if form == JSON:
        at = f"/api/operations/{operation}"
        return ok(OperationLog(operation, lines, offset, {"self": f"{at}/log", "operation": at}))
    return Response("".join(f"{line}\n" for line in lines), mimetype=TEXT)


def _follow(ask: Ask, operation: int, offset: int, form: str) -> Response:
    source = services.follow(ask.platform, ask.actor, operation, offset)
    lines = ask.followers.lines(source, request._get_current_object())  # type: ignore[attr-defined]
    if form == EVENTS:
        return ask.followers.stream(_events(ask, operation, lines, offset), form, request)
    return ask.followers.stream(as_text(lines), form, request)


def _events(ask: Ask, operation: int, lines: Iterator[str | None], offset: int) -> Iterator[str]:
    """The lines, then how it ended; without that last event the stream was cut and the operation goes on."""
    yield from as_numbered_events(lines, offset)
    over = services.get(ask.platform, ask.actor, operation)
    if over.done:
        yield f"event: done\ndata: {msgspec.json.encode(operation_document(over)).decode()}\n\n"


def _resumed(offset: int) -> int:
    """Where a reader that lost its connection goes on: what it says in Last-Event-ID."""
    last = request.headers.get("Last-Event-ID", "")
    if last and not re.fullmatch(r"[0-9]{1,15}", last):
        raise InvalidInput(f"Last-Event-ID {last[:40]!a}: give the id of an event, e.g. 512", field="Last-Event-ID")
    return int(last) if last else offset


def number_of(number: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", number):
        raise NotFound(f"no operation {number[:40]!a}", code="no_such_operation", hint="See them with: wherry operations")
    return int(number)
