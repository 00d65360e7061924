"""Bad input to a real server, from data files: the right status, one clear sentence, nothing created, never a 500."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api_support import Answer, Served, answer_of, served
from stored_platform import ADMIN, deployed, new_platform
from wherry.services import tokens, users
from wherry.services.platform import Platform

DATA = Path(__file__).parent / "data"
USERS = {"admin": "alice", "deploy": "dora", "read": "rita"}


def cases(name: str) -> list[Any]:
    found = tomllib.loads((DATA / name).read_text("utf-8"))["case"]
    return [pytest.param(case, id=case["name"]) for case in found]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    made = new_platform(tmp_path_factory.mktemp("api"))
    for role, name in USERS.items():
        users.add(made, ADMIN, name, role)
    deployed(made, config={"A": "1"})
    return made


@pytest.fixture(scope="module")
def bearer(platform: Platform) -> dict[str, str]:
    return {role: tokens.create(platform, ADMIN, "test", role, name)[1].reveal() for role, name in USERS.items()}


@pytest.fixture(scope="module")
def api(platform: Platform, bearer: dict[str, str]) -> Iterator[Served]:
    with served(platform.settings.home) as server:
        yield server


@pytest.fixture(autouse=True)
def counted(platform: Platform, api: Served) -> Iterator[None]:
    """No case makes or removes a thing; wishes are swept, so that cases do not see each other's."""
    before = things(platform)
    yield
    with platform.database.write() as connection:
        connection.execute("DELETE FROM operations")
    assert things(platform) == before


def things(platform: Platform) -> list[int]:
    tables = ("apps", "users", "keys", "tokens", "releases")
    with platform.database.read() as connection:
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]


@pytest.mark.parametrize("case", cases("api_requests.toml"))
def test_a_request_is_answered_in_plain_words(api: Served, bearer: dict[str, str], case: dict[str, Any]) -> None:
    method, _, path = case["ask"].partition(" ")
    headers = {"Authorization": f"Bearer {bearer[case.get('as', 'admin')]}", "Accept": case.get("accept", "application/json")}
    body = case["body"].encode() if "body" in case else None
    answer = api.ask(method, path, body, tcp=True, **headers)
    check(answer, case["answer"], case.get("says", ""), case.get("code", ""))
    assert "Traceback" not in api.errors.read_text()


@pytest.mark.parametrize("case", cases("api_json_bodies.toml"))
def test_a_body_is_read_whole_or_refused_by_name(api: Served, case: dict[str, Any]) -> None:
    headers = {"Content-Type": case.get("type", "application/json"), "Content-Encoding": case.get("encoding", "")}
    with closing(api.local()) as connection:
        try:
            connection.request(
                "POST", case.get("path", "/api/apps"), body_of(case), {key: value for key, value in headers.items() if value}
            )
        except BrokenPipeError:
            assert case["status"] == 413
        found = answer_of(connection)
    check(found, case["status"], case["says"])
    assert found.document["field"] == case.get("field", "")


def body_of(case: dict[str, Any]) -> bytes:
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    if "repeat" in case:
        text, times = case["repeat"]
        return str(text).encode() * int(times)
    if "body_around" in case:
        before, text, times, after = case["body_around"]
        return (before + text * times + after).encode()
    return str(case["body"]).encode()


def check(answer: Answer, status: int, says: str, code: str = "") -> None:
    assert answer.status == status, answer.body
    document = answer.document
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(document) == {"type", "title", "status", "code", "detail", "hint", "field"}
        assert document["status"] == status
        assert document["detail"].isprintable() and document["detail"]
        assert says in document["detail"]
        assert code in ("", document["code"])
    if status == 405:
        assert "GET" in answer.headers["allow"]
    if status == 200:
        assert document["changed"] is False
        assert "nothing to do" in document["message"]
