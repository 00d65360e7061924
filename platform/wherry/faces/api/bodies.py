"""Reads what a client sent, JSON body or query, into the declared shape; refuses the rest by name, never by half."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec
from flask import Request, current_app

from wherry.errors import BadRequest, InvalidInput
from wherry.faces.api.deadlines import DEADLINES
from wherry.faces.api.problems import TransportError

MAX_BODY = 4 * 1024 * 1024
BODY_SECONDS = 10.0
"""How long a body may take, if the server was not started with another limit."""

T = TypeVar("T")


def read_body(request: Request, shape: type[T]) -> T:
    """The JSON body as `shape`. An empty body is `{}` for shapes without required fields.

    Raises TransportError 415 | 413 | 408, BadRequest for what is no JSON object, InvalidInput naming the field.
    """
    if request.headers.get("Content-Encoding"):
        raise TransportError(415, "the body is compressed: send it as it is")
    raw = _raw(request)
    if not raw:
        return _shaped({}, shape, "body") if _takes_nothing(shape) else _no_body()
    if request.mimetype != "application/json":
        raise TransportError(415, f"the body is {request.mimetype[:60] or 'of no type'!a}: send Content-Type: application/json")
    return _shaped(parse(raw), shape, "body")


def given(body: msgspec.Struct) -> dict[str, Any]:
    """The fields of a change that its body names; what it leaves out stays as it is."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}


def read_query(request: Request, shape: type[T]) -> T:
    """The query parameters as `shape`, each at most once."""
    values: dict[str, str] = {}
    for key, value in request.args.items(multi=True):
        if key in values:
            raise InvalidInput(f"{key[:40]!a} is given twice", field=key[:40])
        values[key] = value
    return _shaped(values, shape, "query")


def parse(raw: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8, each key once. Raises BadRequest with line and column."""
    try:
        found = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8 at byte {error.start}", field="body") from error
    except UnicodeEncodeError as error:
        raise BadRequest("the body holds half a character (a lone surrogate)", field="body") from error
    except RecursionError as error:
        raise BadRequest("the body is nested too deep", field="body") from error
    except json.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: line {error.lineno} column {error.colno}: {error.msg}", field="body") from error
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}"[:200], field="body") from error
    if not isinstance(found, dict):
        raise BadRequest('the body is not a JSON object: send {"key": "value"}', field="body")
    return found


def _raw(request: Request) -> bytes:
    length = request.content_length
    if length is not None and length > MAX_BODY:
        raise TransportError(413, f"the body has {length} bytes: up to {MAX_BODY} are taken")
    with DEADLINES.within(request.environ.get("gunicorn.socket"), current_app.config["BODY_SECONDS"]) as deadline:
        try:
            raw = request.stream.read(MAX_BODY + 1)
        except Exception as error:
            raise _broken(deadline.passed) from error
    if len(raw) > MAX_BODY:
        raise TransportError(413, f"the body has more than {MAX_BODY} bytes")
    if length is not None and len(raw) < length:
        raise _broken(deadline.passed)
    return raw


def _broken(late: bool) -> TransportError:
    if late:
        return TransportError(408, f"the body took longer than {current_app.config['BODY_SECONDS']:g} s")
    return TransportError(400, "the body ended before its end", field="body")


def _shaped(values: dict[str, Any], shape: type[T], where: str) -> T:
    try:
        return msgspec.convert(values, shape, strict=where == "body")
    except msgspec.ValidationError as error:
        raise _explained(str(error), where, shape) from error


def _explained(text: str, where: str, shape: type[Any]) -> InvalidInput:
    """msgspec says `Expected `int`, got `str` - at `$.days``; people get the field first, and for an unknown one those there are."""
    reason, _, path = text.partition(" - at `")
    field = path.rstrip("`").removeprefix("$").lstrip(".")
    reason = reason.replace("`", '"').replace("Object ", f"the {where} ").replace("Expected", "expected")
    if "unknown field" in reason and not field and issubclass(shape, msgspec.Struct):
        known = ", ".join(one.encode_name for one in msgspec.structs.fields(shape))
        reason = f"{reason}; it takes {known or 'none'}"
    return InvalidInput(f"{field}: {reason}" if field else reason, field=field or where)


def _takes_nothing(shape: type[Any]) -> bool:
    return all(not field.required for field in msgspec.structs.fields(shape)) if issubclass(shape, msgspec.Struct) else False


def _no_body() -> Any:
    raise BadRequest("the body is empty: send a JSON object", field="body")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:40]!a} is there twice")
        found[key] = value
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")
