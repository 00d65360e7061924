"""Words that do not fit are refused in one line with the allowed form, before anything is asked of the platform."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from cli_support import run, run_program

CASES = tomllib.loads((Path(__file__).parent / "data" / "cli_refusals.toml").read_text("utf-8"))["case"]


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    return {"WHERRY_HOME": str(tmp_path)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["words"]).encode("ascii", "backslashreplace").decode())
def test_words_that_do_not_fit_are_refused_with_the_form_that_does(case: dict[str, Any], nowhere: dict[str, str]) -> None:
    ran = run(case["words"], nowhere)
    assert ran.err == case["says"].lstrip("\n") + "\n"
    assert ran.status == case["exit"]
    assert ran.out == ""


def test_a_name_of_ten_thousand_letters_is_refused_in_one_line(nowhere: dict[str, str]) -> None:
    ran = run(["apps:info", "a" * 10_000], nowhere)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith('app name "aaaa')
    assert len(ran.err) < 200


def test_a_value_that_is_not_utf8_is_refused_and_goes_nowhere(nowhere: dict[str, str]) -> None:
    ran = run_program(["config:set", "shop", b"KEY=caf\xe9"], nowhere)
    assert ran == (2, "", '"KEY": the value is not UTF-8 text; encode it, e.g. with base64\n')


def test_a_private_key_never_leaves_the_machine(nowhere: dict[str, str]) -> None:
    ran = run(["keys:add", "laptop"], nowhere, stdin=b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")
    assert ran.status == 2
    assert ran.err.startswith("that is a private key: keep it secret")


def test_a_platform_that_does_not_run_is_said_in_words_with_the_fix(nowhere: dict[str, str]) -> None:
    ran = run_program(["ps", "shop"], nowhere)
    assert ran.status == 6
    assert ran.err == (
        f"the platform is not running: nothing answers at {nowhere['WHERRY_HOME']}/run/api.sock\n"
        "Start it: sudo systemctl start wherry, or sudo scripts/up (elsewhere: set WHERRY_API_URL and WHERRY_TOKEN)\n"
    )


def test_errors_are_documents_when_json_is_asked_for(nowhere: dict[str, str]) -> None:
    ran = run(["ps", "shop", "--json"], nowhere)
    assert '"code": "not_running"' in ran.err
    assert ran.status == 6


@pytest.mark.parametrize(
    "url", ["ftp://host", "host:8420", "http://", "http://me@127.0.0.1", "http://127.0.0.1:99999", "http://a b", "http://[::1"]
)
def test_an_address_that_is_none_is_refused_with_an_example(url: str) -> None:
    ran = run(["apps"], {"WHERRY_API_URL": url, "WHERRY_TOKEN": "wherry_secret"})
    assert ran.status == 2
    assert ran.err == f'WHERRY_API_URL="{url}": give an address like http://127.0.0.1:8420\n'


def test_a_token_is_never_sent_in_clear_to_another_machine() -> None:
    ran = run(["apps"], {"WHERRY_API_URL": "http://wherry.example.org:8420", "WHERRY_TOKEN": "wherry_secret"})
    assert ran.status == 2
    assert "would send the token in clear: use https, or ssh -L 8420:127.0.0.1:8420 wherry.example.org" in ran.err


def test_a_port_where_nobody_listens_is_said_so() -> None:
    ran = run(["apps"], {"WHERRY_API_URL": "http://127.0.0.1:1", "WHERRY_TOKEN": "wherry_secret"})
    assert ran.status == 6
    assert ran.err.startswith("no answer from http://127.0.0.1:1: Connection refused\n")
