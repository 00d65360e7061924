"""The API for machines: OpenAPI 3.1, written from the same table of routes and shapes that serves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from flask import Response

from wherry.faces.api.followers import EVENTS, TEXT
from wherry.faces.api.problems import Problem, Unchanged
from wherry.faces.api.routes import PUBLIC, Ask, Route, Routes
from wherry.version import VERSION

JSON = "application/json"
TEMPLATE = "#/components/schemas/{name}"


def routes_for(nouns: list[Routes]) -> Routes:
    """The route that describes all others and itself."""
    routes = Routes("openapi")

    @routes.on("GET", "/api/openapi.json", needs="read")
    def show_openapi(ask: Ask) -> Response:
        """read the description of the API"""
        return Response(msgspec.json.encode(describe([route for noun in [*nouns, routes] for route in noun.all])), mimetype=JSON)

    return routes


def describe(routes: list[Route]) -> dict[str, Any]:
    """The whole document."""
    shapes = [shape for route in routes for shape in (route.body, route.query, route.answers, *(route.raw or ())[:1]) if shape is not None]
    schemas, components = msgspec.json.schema_components([*shapes, Problem, Unchanged], ref_template=TEMPLATE)
    schema_of = dict(zip(map(str, [*shapes, Problem, Unchanged]), schemas, strict=True))

    def schema(shape: Any) -> Any:
        return schema_of[str(shape)]

    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(_template(route.path), {})[route.method.lower()] = _operation(route, schema, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wherry", "version": VERSION},
        "servers": [{"url": "http://127.0.0.1:8420"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(route: Route, schema: Callable[[Any], Any], components: dict[str, Any]) -> dict[str, Any]:
    view = getattr(route.view, "__name__", "")
    role = "Needs no credentials." if route.needs == PUBLIC else f"Needs the role {route.needs}."
    told: dict[str, Any] = {"operationId": view, "summary": route.summary.capitalize(), "description": role}
    if route.needs == PUBLIC:
        told["security"] = []
    parameters = [_in_path(name) for name in _names(route.path)]
    if route.query is not None:
        parameters += _in_query(components[route.query.__name__])
    if parameters:
        told["parameters"] = parameters
    if route.body is not None:
        told["requestBody"] = {"content": {JSON: {"schema": schema(route.body)}}}
    if route.raw is not None:
        told["requestBody"] = {"content": {JSON: {"schema": schema(route.raw[0])}, **{kind: {} for kind in route.raw[1]}}}
    told["responses"] = _responses(route, schema)
    return told


def _responses(route: Route, schema: Callable[[Any], Any]) -> dict[str, Any]:
    content = {JSON: {"schema": schema(route.answers)}} if route.answers is not None else {}
    if route.path.endswith(("/log", "/logs")):
        content |= {TEXT: {}, EVENTS: {}}
    answer: dict[str, Any] = {"description": "Accepted" if route.status == 202 else "Done"}
    if content:
        answer["content"] = content
    answers = {str(route.status): answer}
    if route.status == 202:
        answers["200"] = {"description": "Nothing to do", "content": {JSON: {"schema": schema(Unchanged)}}}
    answers["default"] = {"description": "Refused", "content": {"application/problem+json": {"schema": schema(Problem)}}}
    return answers


def _template(path: str) -> str:
    return re.sub(r"<(?:path:)?([a-z_]+)>", r"{\1}", path)


def _names(path: str) -> list[str]:
    return re.findall(r"<(?:path:)?([a-z_]+)>", path)


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _in_query(shape: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": schema} for name, schema in shape["properties"].items()]
