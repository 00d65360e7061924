"""What the API answers when all is well: the documents, the statuses, the links; and that the page tells the truth."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from stored_platform import ADMIN, deployed, finished, new_platform, public_key, running
from wherry import clock
from wherry.faces.api import apps, builds, documents, formation, index, instances, limits, registries, release_documents, releases, sources
from wherry.faces.api.app import create_app, nouns
from wherry.model.log_line import LogRecord
from wherry.services import formation as formation_services
from wherry.services import tokens, users
from wherry.services.platform import Platform
from wherry.store import operations
from wherry.store.app_logs import AppLogs
from wherry.version import VERSION

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
SHOWN = (
    index.Index, documents.AppDocument, formation.ProcessDocument, instances.InstanceView, documents.InstanceDocument,
    release_documents.ReleaseDocument, documents.OperationDocument, documents.KeyDocument, documents.TokenDocument, documents.UserDocument,
    limits.SizeDocument, limits.SizeList, limits.LimitDocument, limits.LimitsDocument,
    builds.BuildSettingsDocument, registries.RegistryDocument, sources.DeployKeyDocument,
)  # fmt: skip


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    made = new_platform(tmp_path)
    users.add(made, ADMIN, "alice", "admin")
    return made


@pytest.fixture
def ask(platform: Platform) -> Any:
    client: FlaskClient = create_app(platform).test_client()
    secret = tokens.create(platform, ADMIN, "test")[1].reveal()

    def one(method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {secret}", **headers}
        given = {} if body is None else {"json": body}
        return client.open(path, method=method, headers=sent, **given)

    return one


def test_the_page_names_every_route_with_its_role() -> None:
    text = re.sub(r"\?[^`|]*`", "`", PAGE)
    text = re.sub(r"<(web\.1|run\.3|v7|type|id|prefix|KEY|app|name|server|drain)>", "<>", text)
    for route in (route for noun in nouns() for route in noun.all):
        told = f"`{route.method} {re.sub(r'<[^>]*>', '<>', route.path)}`"
        line = next((line for line in text.splitlines() if told in line), "")
        assert line, f"docs/api.md does not tell of {told}"
        assert route.needs in line or (route.needs == "public" and "nobody" in line), line


@pytest.mark.parametrize("shape", SHOWN, ids=lambda shape: shape.__name__)
def test_the_page_shows_every_field_of_a_document(shape: Any) -> None:
    missing = [name for name in shape.__struct_fields__ if f'"{name}":' not in PAGE]
    assert missing == []


def test_every_code_that_is_raised_is_on_the_page() -> None:
    source = Path(documents.__file__).parents[2]
    rooms = [*source.glob("faces/api/*.py"), *source.glob("services/*.py"), *source.glob("access/*.py")]
    codes = {code for path in rooms for code in re.findall(r'code="([a-z_]+)"', path.read_text("utf-8"))}
    assert sorted(code for code in codes if f"`{code}`" not in PAGE) == []


def test_the_version_is_the_one_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION


def test_the_index_says_who_asks_and_where_things_are(ask: Any) -> None:
    document = ask("GET", "/api").get_json()
    assert document["actor"] == {"name": "alice", "role": "admin", "via": "token"}
    assert all(ask("GET", link).status_code == 200 for link in document["links"].values())


def test_an_app_is_made_and_found_where_it_was_said_to_be(ask: Any) -> None:
    answer = ask("POST", "/api/apps", {"name": "shop"})
    assert (answer.status_code, answer.headers["Location"]) == (201, "/api/apps/shop")
    document = ask("GET", "/api/apps/shop").get_json()
    assert document == answer.get_json()
    assert document["url"] == "http://shop.localhost"
    assert (document["release"], document["formation"], document["stopped"]) == (None, {}, False)
    assert ask("GET", "/api/apps").get_json()["apps"] == [document]


def test_every_link_of_an_app_leads_somewhere(ask: Any, platform: Platform) -> None:
    deployed(platform)
    running(platform)
    for view in (ask("GET", "/api/apps/shop"), ask("GET", "/api/apps/shop/instances/web.1"), ask("GET", "/api/apps/shop/releases/v1")):
        for name, link in view.get_json()["links"].items():
            method = "POST" if "/actions/" in link else "GET"
            assert ask(method, link).status_code in (200, 202), name


def test_build_settings_are_shown_and_changed_field_by_field(ask: Any, platform: Platform) -> None:
    ask("POST", "/api/apps", {"name": "shop"})
    answer = ask("PATCH", "/api/apps/shop/build", {"dir": "apps/web", "args": {"A": "1", "B": "2"}})
    assert answer.status_code == 200
    assert ask("PATCH", "/api/apps/shop/build", {"args": {"A": None}, "dir": None}).get_json()["args"] == {"B": "2"}
    document = ask("GET", "/api/apps/shop/build").get_json()
    assert (document["dir"], document["args"], document["buildpacks"]) == ("", {"B": "2"}, [])
    assert ask("PATCH", "/api/apps/shop/build", {"args": {"B": "2"}}).get_json()["changed"] is False
    refused = ask("PATCH", "/api/apps/shop/build", {"dir": "../other"})
    assert (refused.status_code, refused.get_json()["field"]) == (422, "dir")


def test_what_takes_time_answers_where_to_look(ask: Any, platform: Platform) -> None:
    deployed(platform)
    answer = ask("PATCH", "/api/apps/shop/formation", {"web": 3})
    assert answer.status_code == 202
    document = answer.get_json()
    assert answer.headers["Location"] == f"/api/operations/{document['id']}"
    assert answer.headers["Link"] == f'</api/operations/{document["id"]}>; rel="monitor"'
    assert (document["kind"], document["state"], document["request"]) == ("scale", "queued", {"formation": {"web": 3}})
    assert ask("GET", answer.headers["Location"]).get_json() == document


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("PUT", "/api/apps/shop/formation/web", {"quantity": 0}, "scale"),
        ("POST", "/api/apps/shop/actions/restart", None, "restart"),
        ("POST", "/api/apps/shop/actions/restart", {}, "restart"),
        ("POST", "/api/apps/shop/instances/web.1/actions/restart", None, "restart"),
        ("POST", "/api/apps/shop/instances/web/actions/restart", None, "restart"),
        ("POST", "/api/apps/shop/actions/stop", None, "stop"),
        ("POST", "/api/apps/shop/releases", {"rollback_to": "v1"}, "rollback"),
        ("POST", "/api/apps/shop/releases", {"rollback_to": None}, "rollback"),
        ("PATCH", "/api/apps/shop/config-vars", {"B": "2", "A": None}, "config"),
        ("PUT", "/api/apps/shop/config-vars/B", {"value": "2"}, "config"),
        ("DELETE", "/api/apps/shop/config-vars/A", None, "config"),
        ("DELETE", "/api/apps/shop?confirm=shop", None, "destroy"),
    ],
)
def test_each_wish_becomes_an_operation(ask: Any, platform: Platform, method: str, path: str, body: object, kind: str) -> None:
    deployed(platform)
    deployed(platform, config={"A": "1"})
    answer = ask(method, path, body)
    assert answer.status_code == 202, answer.get_json()
    assert answer.get_json()["kind"] == kind


def test_one_request_holds_all_that_ps_shows(ask: Any, platform: Platform) -> None:
    deployed(platform)
    running(platform, memory=48 * 2**20, memory_limit=256 * 2**20, cpu=0.4, restarts=3, detail="")
    document = ask("GET", "/api/apps/shop/instances").get_json()
    assert (document["release"], document["formation"]) == ("v1", {"web": 1, "worker": 0})
    assert document["memory_limit"] == 256 * 2**20
    web = document["instances"][0]
    assert (web["name"], web["state"], web["release"]) == ("web.1", "running", "v1")
    assert (web["memory"], web["cpu"], web["restarts"]) == (48 * 2**20, 0.4, 3)
    assert ask("GET", "/api/instances").get_json()["instances"] == [web]
    assert ask("GET", "/api/apps/shop/instances/web.1").get_json() == web


def test_an_instance_tells_neither_its_container_nor_its_address(ask: Any, platform: Platform) -> None:
    deployed(platform)
    running(platform, container="f00dcafe", address="172.30.1.2")
    text = ask("GET", "/api/apps/shop/instances").get_data(as_text=True)
    assert "f00dcafe" not in text and "172.30.1.2" not in text


def test_releases_show_the_keys_of_their_config_and_no_value(ask: Any, platform: Platform) -> None:
    deployed(platform)
    deployed(platform, config={"TOKEN": "s3cret"})
    answer = ask("GET", "/api/apps/shop/releases")
    document = answer.get_json()
    assert document["current"] == "v2"
    assert [(release["version"], release["current"]) for release in document["releases"]] == [("v2", True), ("v1", False)]
    assert document["releases"][0]["config_keys"] == ["TOKEN"]
    assert "s3cret" not in answer.get_data(as_text=True)
    assert len(ask("GET", "/api/apps/shop/releases?limit=1").get_json()["releases"]) == 1


def test_an_operation_never_shows_a_config_value(ask: Any, platform: Platform) -> None:
    deployed(platform)
    answer = ask("PATCH", "/api/apps/shop/config-vars", {"TOKEN": "s3cret", "OLD": None})
    listed = ask("GET", "/api/operations?app=shop")
    assert answer.get_json()["request"] == {"keys": ["OLD", "TOKEN"]}
    assert "s3cret" not in answer.get_data(as_text=True) + listed.get_data(as_text=True)


def test_config_vars_arrive_byte_for_byte(ask: Any, platform: Platform) -> None:
    ask("POST", "/api/apps", {"name": "shop"})
    values = {"A": "", "B": "two\nlines", "C": "⛵ \"'\\ $HOME", "D": "x" * 65536}
    answer = ask("PATCH", "/api/apps/shop/config-vars", values)
    assert (answer.status_code, answer.get_json()["changed"]) == (200, True)
    assert ask("GET", "/api/apps/shop/config-vars").get_json()["config_vars"] == values
    assert ask("GET", "/api/apps/shop/config-vars/C").get_json()["value"] == values["C"]


def test_a_failed_operation_says_why(ask: Any, platform: Platform) -> None:
    deployed(platform)
    operation = formation_services.restart(platform, ADMIN, "shop")
    with platform.database.write() as connection:
        error = {"code": "R10", "message": "web.1 opened no port", "hint": "Bind to $PORT", "secret": "x"}
        operations.finish(connection, operation, "failed", clock.now(), error=error)
    document = ask("GET", f"/api/operations/{operation.id}").get_json()
    assert document["state"] == "failed"
    assert document["error"] == {"code": "R10", "message": "web.1 opened no port", "hint": "Bind to $PORT"}


def test_a_queued_operation_is_cancelled_and_a_finished_one_is_not(ask: Any, platform: Platform) -> None:
    deployed(platform)
    operation = formation_services.restart(platform, ADMIN, "shop")
    answer = ask("POST", f"/api/operations/{operation.id}/actions/cancel")
    assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelled")
    again = ask("POST", f"/api/operations/{operation.id}/actions/cancel")
    assert (again.status_code, again.get_json()["code"]) == (409, "operation_over")


def test_the_log_of_an_operation_is_read_in_pieces(ask: Any, platform: Platform) -> None:
    deployed(platform)
    operation = formation_services.restart(platform, ADMIN, "shop")
    at = f"/api/operations/{operation.id}/log"
    platform.operation_logs.write(operation.id, "one ⛵")
    first = ask("GET", at, Accept="application/json").get_json()
    platform.operation_logs.write(operation.id, "two")
    second = ask("GET", f"{at}?offset={first['offset']}", Accept="application/json").get_json()
    assert (first["lines"], second["lines"]) == (["one ⛵"], ["two"])
    assert ask("GET", at).get_data(as_text=True) == "one ⛵\ntwo\n"


def test_followed_events_carry_offsets_and_end_with_the_operation(ask: Any, platform: Platform) -> None:
    deployed(platform)
    operation = formation_services.restart(platform, ADMIN, "shop")
    for line in ("one ⛵", "", "three"):
        platform.operation_logs.write(operation.id, line)
    finished(platform, operation.id, message="done")
    answer = ask("GET", f"/api/operations/{operation.id}/log?follow=true", Accept="text/event-stream")
    assert answer.mimetype == "text/event-stream"
    *lines, done = answer.get_data(as_text=True).strip().split("\n\n")[1:]
    assert lines == ["data: one ⛵\nid: 8", "data: \nid: 9", "data: three\nid: 15"]
    name, data = done.split("\n", 1)
    assert name == "event: done"
    assert json.loads(data.removeprefix("data: "))["result"] == {"message": "done"}
    resumed = ask("GET", f"/api/operations/{operation.id}/log?follow=true", **{"Accept": "text/event-stream", "Last-Event-ID": "9"})
    assert "data: three" in resumed.get_data(as_text=True) and "data: one" not in resumed.get_data(as_text=True)


def test_an_apps_log_comes_as_text_or_json(ask: Any, platform: Platform) -> None:
    deployed(platform)
    records = [LogRecord("2026-01-01T00:00:00.000000Z", "app", process, "hello") for process in ("web.1", "worker.1")]
    AppLogs(platform.settings.app_logs).append("shop", records)
    text = "2026-01-01T00:00:00.000000Z app[web.1]: hello"
    answer = ask("GET", "/api/apps/shop/logs?process=web&n=5")
    assert (answer.mimetype, answer.get_data(as_text=True)) == ("text/plain", f"{text}\n")
    assert ask("GET", "/api/apps/shop/logs", Accept="*/*").mimetype == "text/plain"
    assert ask("GET", "/api/apps/shop/logs?process=web.1", Accept="application/json").get_json()["lines"] == [text]
    assert ask("GET", "/api/apps/shop/logs?n=0").get_data() == b""


def test_a_key_is_added_found_and_removed(ask: Any) -> None:
    answer = ask("POST", "/api/keys", {"public_key": public_key()})
    assert (answer.status_code, answer.headers["Location"]) == (201, "/api/keys/me@laptop")
    document = answer.get_json()
    assert ask("GET", answer.headers["Location"]).get_json() == document
    assert ask("GET", f"/api/keys/{document['fingerprint']}").get_json() == document
    assert ask("DELETE", answer.headers["Location"]).status_code == 204
    assert ask("GET", "/api/keys").get_json()["keys"] == []


def test_a_token_is_shown_once_and_works_until_it_is_revoked(ask: Any, platform: Platform) -> None:
    answer = ask("POST", "/api/tokens", {"name": "ci", "role": "read", "days": 7})
    secret = answer.get_json()["token"]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert answer.status_code == 201
    assert ask("GET", "/api", **bearer).get_json()["actor"]["role"] == "read"
    assert secret not in ask("GET", "/api/tokens").get_data(as_text=True)
    assert "token" not in ask("GET", answer.headers["Location"]).get_json()
    assert ask("DELETE", answer.headers["Location"]).status_code == 204
    assert ask("GET", "/api", **bearer).status_code == 401


def test_a_user_is_added_found_and_removed(ask: Any) -> None:
    answer = ask("POST", "/api/users", {"name": "dora", "local_uid": 4242})
    assert (answer.status_code, answer.get_json()["role"], answer.get_json()["local_uid"]) == (201, "deploy", 4242)
    assert [user["name"] for user in ask("GET", "/api/users").get_json()["users"]] == ["alice", "dora"]
    assert ask("DELETE", "/api/users/dora").status_code == 204
    assert ask("GET", "/api/users/dora").status_code == 404


def test_the_description_for_machines_holds_every_route_and_resolves(ask: Any) -> None:
    document = ask("GET", "/api/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    told = {(method.upper(), re.sub(r"{[^}]*}", "<>", path)) for path, methods in document["paths"].items() for method in methods}
    assert told == {(route.method, re.sub(r"<[^>]*>", "<>", route.path)) for noun in nouns() for route in noun.all}
    named = set(re.findall(r'"#/components/schemas/([A-Za-z]+)"', json.dumps(document)))
    assert named <= set(document["components"]["schemas"])
    assert apps.AppList.__name__ in named and releases.NewRelease.__name__ in named


def test_an_unexpected_error_tells_a_reference_and_no_trace(platform: Platform, ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    deployed(platform)
    with platform.database.write() as connection:
        connection.execute("ALTER TABLE instances RENAME TO gone")
    answer = ask("GET", "/api/apps/shop/instances")
    assert answer.status_code == 500
    document = answer.get_json()
    assert document["code"] == "internal"
    assert "instances" not in document["detail"] and "sqlite" not in answer.get_data(as_text=True).lower()
    reference = document["hint"].rstrip(".").rpartition(" ")[2]
    assert reference in caplog.text


def test_a_source_is_taken_by_name_by_address_or_as_it_is(ask: Any, platform: Platform) -> None:
    for body, origin in (
        ({"image": "nginx:1.27"}, "nginx:1.27"),
        ({"archive": "https://example.org/a.tgz?signature=1"}, "https://example.org/a.tgz"),
        ({"git": "https://example.org/a.git", "ref": "v1"}, "https://example.org/a.git v1"),
        ({"rebuild": True}, "what was pushed last"),
    ):
        answer = ask("POST", "/api/apps/shop/sources", body)
        assert answer.status_code == 202
        assert answer.get_json()["request"] == {"origin": origin}


@pytest.mark.parametrize(
    "body", [{}, {"image": "a", "git": "https://a/b"}, {"image": "a", "ref": "x"}, {"image": "../x"}, {"picture": "a"}]
)
def test_what_is_no_source_is_refused(ask: Any, body: dict[str, Any]) -> None:
    assert ask("POST", "/api/apps/shop/sources", body).status_code == 422
    assert ask("GET", "/api/apps").get_json()["apps"] == []


def test_a_password_for_a_registry_is_in_no_answer_and_no_row(ask: Any, platform: Platform) -> None:
    answer = ask("PUT", "/api/registries/ghcr.io", {"user": "me", "password": "s3cret"})
    assert answer.status_code == 202
    assert "s3cret" not in answer.get_data(as_text=True)
    operation = answer.get_json()
    assert (operation["app"], operation["request"]) == ("", {"server": "ghcr.io", "user": "me"})
    assert all(ask("GET", link).status_code == 200 for name, link in operation["links"].items() if name != "cancel")
    (path,) = platform.settings.spool.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    others = [found for found in platform.settings.home.rglob("*") if found.is_file() and found != path]
    assert all(b"s3cret" not in found.read_bytes() for found in others)


def test_a_deploy_key_is_the_same_each_time(ask: Any) -> None:
    ask("POST", "/api/apps", {"name": "shop"})
    first, second = (ask("POST", "/api/apps/shop/deploy-key").get_json() for _ in range(2))
    assert first == second and first["public_key"].startswith("ssh-ed25519 ")
