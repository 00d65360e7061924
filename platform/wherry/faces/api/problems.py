"""What goes wrong, as `application/problem+json` (RFC 9457): status, stable code, sentence, way out, field."""

from __future__ import annotations

import logging
import secrets
import sys
from http import HTTPStatus
from typing import ClassVar

import msgspec
from flask import Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from wherry.errors import NothingToDo, WherryError
from wherry.own_name import USUAL, in_own_name

CODES = {404: "not_found", 405: "method_not_allowed", 408: "body_too_slow", 413: "body_too_large", 415: "unsupported_media_type"}
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
RETRY_AFTER = 5


class Problem(msgspec.Struct):
    """`type` is always `about:blank`: `code` is what programs compare."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str
    field: str


class Unchanged(msgspec.Struct):
    """The wish is already true."""

    changed: bool
    message: str


class TransportError(WherryError):
    """The request did not arrive as HTTP wants it; `status` differs by instance."""

    default_code: ClassVar[str] = "bad_request"

    def __init__(self, status: int, message: str, *, hint: str = "", code: str = "", field: str = "") -> None:
        super().__init__(message, hint=hint, code=code or CODES.get(status, ""), field=field)
        self.http_status = status


def of_error(error: WherryError, name: str = USUAL) -> Response:
    """`name` is the platform's: its commands are called so."""
    if isinstance(error, NothingToDo):
        return Response(msgspec.json.encode(Unchanged(False, error.message)), 200, mimetype="application/json")
    status = error.http_status if isinstance(error, TransportError) else error.status
    message, hint = (in_own_name(text, name, error.quoted) for text in (error.message, error.hint))
    return render(status, error.code, message, hint, error.field)


def of_http(error: HTTPException) -> Response:
    """Flask's own refusals: no such path, wrong method."""
    status = error.code or 500
    details = {404: "nothing is here", 405: "this resource has no such method"}
    answer = render(status, CODES.get(status, "bad_request"), details.get(status, error.name.lower()), "The routes: GET /api/openapi.json")
    if isinstance(error, MethodNotAllowed):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return answer


def of_unexpected(error: Exception, name: str = USUAL) -> Response:
    """Ours: the trace goes to the log under a reference, the client gets the reference."""
    reference = secrets.token_hex(4)
    logging.getLogger("wherry.api").error("unexpected error %s", reference, exc_info=error)
    hint = f"This is a fault of Wherry. Report it with the output of {name} doctor --bundle and the reference {reference}."
    return render(500, "internal", "an unexpected error", hint)


def render(status: int, code: str, detail: str, hint: str = "", field: str = "") -> Response:
    answer = Response(encode(status, code, detail, hint, field), status, mimetype="application/problem+json")
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="wherry"'
    if status == 503:
        answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def encode(status: int, code: str, detail: str, hint: str = "", field: str = "") -> bytes:
    title = TITLES.get(status) or HTTPStatus(status).phrase
    return msgspec.json.encode(Problem("about:blank", title, status, code, _plain(detail), _plain(hint), field))


def log_to_stderr() -> None:
    """Unexpected errors go to stderr, and from there to the journal or the platform's log."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s api %(levelname)s %(message)s"))
    logger = logging.getLogger("wherry.api")
    logger.handlers[:] = [handler]
    logger.propagate = False


def _plain(text: str) -> str:
    """No control byte and no half character of the client's leaves in an answer."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
