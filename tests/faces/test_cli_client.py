"""The command line's own HTTP client over real sockets: whole answers, cut answers, answers of something else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import OddServer, answer, chunked, run
from wherry.faces.cli.client import segment
from wherry.faces.cli.follow import Event, read_events


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"WHERRY_HOME": str(tmp_path), "WHERRY_ACTOR": "alice", "WHERRY_VIA": "ssh"}


APPS = json.dumps({"apps": []}).encode()
NONE_YET = "no app yet; make one: git push wherry main, or wherry apps:create shop\n"
DONE = json.dumps({"id": 41, "state": "succeeded", "result": {"message": "web 1 -> 2"}, "error": None}).encode()
OPERATION = answer(json.dumps({"id": 41, "state": "queued"}).encode(), "202 Accepted")


def test_the_person_behind_ssh_is_named_in_headers(tmp_path: Path, environ: dict[str, str]) -> None:
    with OddServer(tmp_path, answer(APPS)) as server:
        assert run(["apps"], environ).out == NONE_YET
    asked = server.asked[0].decode()
    assert asked.startswith("GET /api/apps HTTP/1.1\r\n")
    assert "\r\nWherry-Actor: alice\r\nWherry-Via: ssh\r\n" in asked


def test_a_header_can_not_be_smuggled_in_by_a_value(tmp_path: Path, environ: dict[str, str]) -> None:
    with OddServer(tmp_path, answer(APPS)) as server:
        run(["apps"], {**environ, "WHERRY_ACTOR": "alice\r\nWherry-Via: local"})
    assert b"Wherry-Actor: alice  Wherry-Via: local\r\n" in server.asked[0]


def test_an_answer_in_chunks_is_put_together(tmp_path: Path, environ: dict[str, str]) -> None:
    with OddServer(tmp_path, chunked(APPS[:3], APPS[3:])):
        assert run(["apps"], environ).out == NONE_YET


@pytest.mark.parametrize(
    "cut",
    [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Le", answer(APPS)[:-3], chunked(APPS, whole=False)],
    ids=["nothing", "half a status", "half a header", "half a body", "no last chunk"],
)
def test_an_answer_that_is_cut_off_is_never_taken_for_the_whole(cut: bytes, tmp_path: Path, environ: dict[str, str]) -> None:
    with OddServer(tmp_path, cut):
        ran = run(["apps"], environ)
    assert ran == (6, "", "the connection to the platform was lost\nSee what is going on: wherry operations\n")


@pytest.mark.parametrize(
    "other", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01\x00\x02\n", b"HTTP/1.1 OK\r\n\r\n"], ids=["ssh", "tls", "no status"]
)
def test_something_else_that_answers_is_called_so(other: bytes, tmp_path: Path, environ: dict[str, str]) -> None:
    with OddServer(tmp_path, other):
        ran = run(["apps"], environ)
    assert ran == (6, "", "what answers there is not a Wherry API\n")


def test_a_page_instead_of_a_document_is_called_so(tmp_path: Path, environ: dict[str, str]) -> None:
    with OddServer(tmp_path, answer(b"<html>")):
        ran = run(["apps"], environ)
    assert ran.status == 2
    assert ran.err.startswith("the API answered with something that is not JSON\n")


def test_an_answer_that_nobody_foresaw_is_our_fault_with_a_reference_and_no_traceback(tmp_path: Path, environ: dict[str, str]) -> None:
    with OddServer(tmp_path, answer(b'{"apps": [{}]}')):
        ran = run(["apps"], environ)
    assert ran.status == 1
    assert ran.err.startswith("this is a fault of ours, not yours (KeyError at wherry.faces.cli.apps:")
    assert "please report it with the output of: wherry doctor --bundle" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("status", "exit_status"), [(400, 2), (401, 3), (403, 3), (404, 4), (409, 5), (413, 2), (422, 2), (429, 6), (500, 1), (503, 6)]
)
def test_each_refusal_of_the_api_has_its_exit_status(status: int, exit_status: int, tmp_path: Path, environ: dict[str, str]) -> None:
    problem = json.dumps({"detail": "no, because\x1b[2J", "hint": "do this", "code": "a_code", "status": status}).encode()
    with OddServer(tmp_path, answer(problem, f"{status} No")):
        assert run(["apps"], environ) == (exit_status, "", "no, because\\x1b[2J\ndo this\n")


def test_a_lost_follower_goes_on_where_it_was(tmp_path: Path, environ: dict[str, str]) -> None:
    first = chunked(b"id: 9\ndata: building\n\n", b": still here\n\n", whole=False)
    rest = chunked(b"id: 14\ndata: live\n\n", b"event: done\ndata: " + DONE + b"\n\n")
    with OddServer(tmp_path, OPERATION, first, b"", rest) as server:
        ran = run(["ps:scale", "shop", "web=2"], environ)
    assert ran == (0, "building\nlive\n", "")
    assert server.asked[0].endswith(b'{"web": 2}')
    assert b"GET /api/operations/41/log?follow=true&offset=0 " in server.asked[1]
    assert b"GET /api/operations/41/log?follow=true&offset=9 " in server.asked[3]


def test_an_operation_without_a_line_says_its_result(tmp_path: Path, environ: dict[str, str]) -> None:
    with OddServer(tmp_path, OPERATION, chunked(b"event: done\ndata: " + DONE + b"\n\n")):
        assert run(["ps:scale", "shop", "web=2"], environ) == (0, "web 1 -> 2\n", "")


def test_no_wait_prints_the_operation_and_asks_nothing_more(tmp_path: Path, environ: dict[str, str]) -> None:
    with OddServer(tmp_path, OPERATION) as server:
        ran = run(["ps:stop", "shop", "--no-wait"], environ)
    assert ran == (0, "operation 41 is queued; follow it with: wherry operations:log 41\n", "")
    assert len(server.asked) == 1


def test_events_are_read_as_the_standard_says() -> None:
    lines = [": comment", "", "data: one", "", "id: 7", "data: a", "data:b", "event: done", "", "data: cut"]

    def stream() -> Iterator[str]:
        yield from lines

    assert list(read_events(stream())) == [Event("message", "", "one"), Event("done", "7", "a\nb")]


def test_an_empty_line_of_a_log_is_an_event_too() -> None:
    assert list(read_events(iter(["id: 3", "data: ", "", "data:", ""]))) == [Event("message", "3", ""), Event("message", "3", "")]


def test_a_name_is_one_segment_of_a_path() -> None:
    assert segment("SHA256:ab/c+d é%") == "SHA256%3Aab%2Fc%2Bd%20%C3%A9%25"
