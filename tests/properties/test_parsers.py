"""Whatever people send, each parser answers with a value in its form or refuses in plain words; nothing else ever comes out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypothesis_support import examples
from wherry.building import app_json, procfile, versions
from wherry.errors import WherryError
from wherry.faces.cli import ps
from wherry.model import app, config_var, cron, front, log_line, origin
from wherry.receiving import no_terminal, refs, requests
from wherry.routing import hosts

NEAR = [
    "web: run",
    "a.example.org",
    "*.example.org",
    "web=2",
    "https://x.example.org/a.git#main",
    '{"a": [1]}',
    "0 3 * * *",
    "10.0.0.0/8",
    ">=3.9,<4",
]
TEXT = st.one_of(st.text(max_size=200), st.from_regex(r"[a-z0-9:=.*/_@{}\[\]\",\s#~^<>!-]{0,80}", fullmatch=True), st.sampled_from(NEAR))
FEW = examples(60)

PARSERS: dict[str, Callable[[str], object]] = {
    "Procfile": procfile.parse,
    "app.json": app_json.parse,
    "app name": app.check_name,
    "config key": config_var.check_key,
    "config value": lambda text: config_var.check_value("A", text),
    "schedule": cron.check_schedule,
    "scale": lambda text: ps.formation_of([text]),
    "host": hosts.normalise,
    "domain": hosts.normalise_domain,
    "remote": origin.parse_remote,
    "ref": origin.check_ref,
    "archive": origin.check_archive_url,
    "image": origin.parse_image,
    "registry": origin.check_server,
    "network": front.check_network,
    "visitor": front.check_user,
    "redirect": front.check_redirect,
    "ssh command": lambda text: requests.parse(text.encode("utf-8", "surrogatepass")),
}


@pytest.mark.parametrize("name", PARSERS)
@FEW
@given(text=TEXT)
def test_any_text_is_read_or_refused_in_one_plain_line(name: str, text: str) -> None:
    try:
        PARSERS[name](text)
    except WherryError as error:
        assert error.message.isprintable(), ascii(error.message)
        assert 0 < len(error.message) < 1000


@FEW
@given(data=st.binary(max_size=300))
def test_any_bytes_over_ssh_are_a_request_or_refused(data: bytes) -> None:
    with suppress(WherryError):
        assert isinstance(requests.parse(data), requests.Push | requests.Fetch | requests.Run)
    with suppress(WherryError):
        refs.read(data)
    assert b"\n" not in no_terminal.shown(data).replace(b"\r\n", b"")


@FEW
@given(words=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30), max_size=6))
def test_words_that_were_quoted_arrive_as_they_are(words: list[str]) -> None:
    assert requests.parse(shlex.join(["config:set", *words]).encode()) == requests.Run(("config:set", *words))


@FEW
@given(text=TEXT)
def test_a_host_in_its_form_stays_as_it_is(text: str) -> None:
    with suppress(WherryError):
        once = hosts.normalise(text)
        assert hosts.normalise(once) == once
        assert re.fullmatch(r"[0-9a-z.-]+", once)


@FEW
@given(text=st.one_of(st.text(max_size=300), st.binary(max_size=300)))
def test_whatever_an_app_says_is_one_line_of_its_log(text: str | bytes) -> None:
    line = log_line.encode(log_line.LogRecord("2026-11-21T07:43:05.123456Z", "app", "web.1", text))
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert not set(line[:-1]) & set(range(9))


@FEW
@given(version=st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}", fullmatch=True), text=TEXT)
def test_a_version_fits_or_does_not(version: str, text: str) -> None:
    with suppress(WherryError):
        assert versions.fits(version, text) in (True, False)
