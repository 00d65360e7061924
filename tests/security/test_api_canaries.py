"""Every string that any route of the API takes, by its own description, gets texts that a shell would obey: a new route is tried
the day it is described."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from security.canaries import canaries, silent
from stored_platform import ADMIN
from wherry.faces.api.app import create_app
from wherry.services import tokens
from wherry.services.platform import Platform

REAL = {"app": "shop", "process": "web", "instance": "web.1", "version": "v1", "key": "A", "number": "1", "name": "x"}


@pytest.fixture(scope="module")
def client(platform: Platform) -> FlaskClient:
    made = create_app(platform).test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {tokens.create(platform, ADMIN, 'canary', 'admin', 'alice')[1].reveal()}"
    return made


@pytest.fixture(scope="module")
def described(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get("/api/openapi.json").json or {})


def test_no_text_in_any_field_of_any_route_is_run_or_ends_in_an_error_of_ours(
    client: FlaskClient, described: dict[str, Any], tmp_path: Path
) -> None:
    tried = 0
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                for text in canaries(tmp_path):
                    tried += try_one(client, described, path, method, operation, text)
    assert tried > 500
    assert silent(tmp_path)


def try_one(client: FlaskClient, described: dict[str, Any], path: str, method: str, operation: dict[str, Any], text: str) -> int:
    """The text in the path, then in the query and the body of a path that exists; how many requests that were."""
    body = body_of(described, operation, text)
    query = {item["name"]: text for item in operation.get("parameters", []) if item["in"] == "query"}
    urls = [filled(path, dict.fromkeys(REAL, text)), filled(path, REAL)] if "{" in path else [path]
    for number, url in enumerate(urls):
        asked = query if number == len(urls) - 1 else {}
        answer = client.open(url, method=method.upper(), query_string=asked, json=body)
        assert answer.status_code < 500 or answer.status_code == 503, (method, url, body, answer.get_data(as_text=True)[:300])
    return len(urls)


def filled(path: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def body_of(described: dict[str, Any], operation: dict[str, Any], text: str) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return made_of(described, content["schema"], text) if content else None


def made_of(described: dict[str, Any], schema: dict[str, Any], text: str) -> Any:
    """A value of that shape in which every string is the text."""
    if "$ref" in schema:
        return made_of(described, described["components"]["schemas"][schema["$ref"].rpartition("/")[2]], text)
    for many in ("anyOf", "oneOf", "allOf"):
        if many in schema:
            return made_of(described, schema[many][0], text)
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        return {name: made_of(described, inner, text) for name, inner in schema["properties"].items()}
    if kind == "object":
        inner = schema.get("additionalProperties")
        return {text: made_of(described, inner, text) if isinstance(inner, dict) else text}
    if kind == "array":
        return [made_of(described, schema.get("items", {}), text)]
    return {"integer": 1, "number": 1.5, "boolean": True, "null": None}.get(str(kind), text)
