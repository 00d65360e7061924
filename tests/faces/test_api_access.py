"""Nobody gets in without proof, and nobody gets further than their role: every route, whatever it is."""

from __future__ import annotations

import re
from functools import cache

import pytest
from flask import Flask
from flask.testing import FlaskClient

from stored_platform import ADMIN, deployed, new_platform
from wherry.faces.api.app import create_app, nouns
from wherry.faces.api.routes import PUBLIC, Route
from wherry.model.user import ROLES
from wherry.services import locks, tokens, users
from wherry.services.platform import Platform

ROUTES = [route for noun in nouns() for route in noun.all]
GUARDED = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES if route.needs != PUBLIC]
FILLED = {"app": "shop", "process": "web", "instance": "web.1", "version": "v1", "key": "A", "number": "1", "path:name": "x", "name": "x"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    made = new_platform(tmp_path_factory.mktemp("access"))
    for name, role in (("alice", "admin"), ("dora", "deploy"), ("rita", "read")):
        users.add(made, ADMIN, name, role)
    deployed(made)
    return made


@pytest.fixture(scope="module")
def app(platform: Platform) -> Flask:
    return create_app(platform)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@cache
def bearer(platform: Platform, role: str) -> dict[str, str]:
    owner = {"admin": "alice", "deploy": "dora", "read": "rita"}[role]
    return {"Authorization": f"Bearer {tokens.create(platform, ADMIN, 'test', role, owner)[1].reveal()}"}


def filled(route: Route) -> str:
    path = route.path
    for name, value in FILLED.items():
        path = path.replace(f"<{name}>", value)
    return path


def test_the_table_holds_every_route_that_flask_knows(app: Flask) -> None:
    known = {(rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods or () if method != "HEAD"}
    assert known == {(route.path, route.method) for route in ROUTES}


def test_only_the_health_check_is_public() -> None:
    assert [(route.method, route.path) for route in ROUTES if route.needs == PUBLIC] == [("GET", "/healthz")]
    assert all(route.needs in ROLES for route in ROUTES if route.needs != PUBLIC)


def test_what_changes_things_needs_more_than_to_read_and_is_never_a_get() -> None:
    assert all(route.needs != "read" for route in ROUTES if route.method != "GET")


@pytest.mark.parametrize("route", GUARDED)
def test_a_route_refuses_without_credentials(client: FlaskClient, route: Route) -> None:
    for path in (filled(route), f"{filled(route)}?follow=true"):
        answer = client.open(path, method=route.method)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.get_json()["code"] == "unauthenticated"


@pytest.mark.parametrize("route", [case for case in GUARDED if case.values[0].needs != "read"])  # type: ignore[attr-defined]
def test_a_route_refuses_a_role_that_is_less_than_it_needs(client: FlaskClient, platform: Platform, route: Route) -> None:
    less = ROLES[ROLES.index(route.needs) - 1]
    answer = client.open(filled(route), method=route.method, headers=bearer(platform, less), json={})
    assert answer.status_code == 403
    assert f"needs the role {route.needs}" in answer.get_json()["detail"]


def test_no_route_keeps_what_would_build_its_address(app: Flask) -> None:
    """werkzeug compiles it for every rule, four times as long as all else takes at the start of the API; see matched.py."""
    builders = {rule._build.__func__.__module__ for rule in app.url_map.iter_rules()}  # type: ignore[attr-defined]
    assert builders == {"wherry.faces.api.matched"}


@pytest.mark.parametrize("path", ["/", "/api/nope", "/static/x", "/api/apps/shop/nope"])
def test_what_is_not_there_is_not_told_to_strangers(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 401
    assert client.post(path).status_code == 401


def test_a_route_that_slipped_past_the_table_is_closed(platform: Platform) -> None:
    app = create_app(platform)
    app.add_url_rule("/back-door", view_func=lambda: "open")
    assert app.test_client().get("/back-door").status_code == 401
    assert app.test_client().get("/back-door", headers=bearer(platform, "admin")).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "localhost@evil.example", "", "127.0.0.1:x", "10.0.0.1"]
)
def test_a_page_that_points_its_own_name_here_gets_nothing(client: FlaskClient, platform: Platform, host: str) -> None:
    answer = client.get("/api/apps", headers=bearer(platform, "admin"), environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 421
    assert answer.get_json()["code"] == "wrong_host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8420", "127.0.0.1:8420", "[::1]:9000"])
def test_loopback_by_any_name_is_served(client: FlaskClient, platform: Platform, host: str) -> None:
    assert client.get("/api", headers=bearer(platform, "read"), environ_overrides={"HTTP_HOST": host}).status_code == 200


def test_no_answer_lets_a_page_elsewhere_read_it(client: FlaskClient, platform: Platform) -> None:
    answer = client.get("/api", headers={**bearer(platform, "read"), "Origin": "http://evil.example"})
    assert not [name for name in dict(answer.headers) if name.lower().startswith("access-control")]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("query", ["token=x", "access_token=x", "TOKEN=x", "q=wherry_abc"])
def test_a_token_in_a_url_is_refused_even_beside_a_good_one(client: FlaskClient, platform: Platform, query: str) -> None:
    answer = client.get(f"/api/apps?{query}", headers=bearer(platform, "admin"))
    assert answer.status_code == 400
    assert "revoke this token" in answer.get_json()["hint"]


def test_a_header_that_claims_another_user_means_nothing_over_tcp(client: FlaskClient, platform: Platform) -> None:
    assert client.get("/api", headers={"Wherry-Actor": "alice"}).status_code == 401
    answer = client.get("/api", headers={**bearer(platform, "read"), "Wherry-Actor": "alice"})
    assert answer.get_json()["actor"] == {"name": "rita", "role": "read", "via": "token"}


CHANGING = [route for route in ROUTES if "<app>" in route.path and route.method != "GET"]
FREE = re.compile(r"/lock$|/runs\b|/actions/(plan|clone)$")


@pytest.mark.parametrize("route", CHANGING, ids=lambda route: f"{route.method} {route.path}")
def test_a_locked_app_refuses_every_change_but_runs_and_the_lock_itself(client: FlaskClient, platform: Platform, route: Route) -> None:
    free = bool(FREE.search(route.path))
    assert route.on_locked == free
    locks.lock(platform, ADMIN, "shop", "a test")
    try:
        if not free:
            answer = client.open(filled(route), method=route.method, headers=bearer(platform, "admin"))
            assert (answer.status_code, answer.get_json()["code"]) == (409, "app_locked")
    finally:
        locks.unlock(platform, ADMIN, "shop")
