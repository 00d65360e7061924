"""Answers in the forms that REST expects: 200, 201 with Location, 202 with a monitor, 204."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from flask import Response

from wherry.faces.api.documents import operation_document
from wherry.model.operation import Operation


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an action: none, or `{}`."""


class Changed(msgspec.Struct):
    """Done at once."""

    changed: bool
    message: str


def path(*parts: str) -> str:
    """`/api/apps/shop` of `("apps", "shop")`, each part quoted."""
    return "/".join(["/api", *(quote(part, safe="@:+") for part in parts)])


def ok(document: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(document), 200, mimetype="application/json")


def created(document: msgspec.Struct, location: str) -> Response:
    return Response(msgspec.json.encode(document), 201, {"Location": location}, mimetype="application/json")


def accepted(operation: Operation) -> Response:
    """It takes time: the operation is where to look."""
    where = path("operations", str(operation.id))
    headers = {"Location": where, "Link": f'<{where}>; rel="monitor"'}
    return Response(msgspec.json.encode(operation_document(operation)), 202, headers, mimetype="application/json")


def changed(message: str) -> Response:
    return ok(Changed(True, message))


def deleted() -> Response:
    return Response(b"", 204)
