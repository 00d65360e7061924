"""What people type wrongly, by the real command line over the real API: one line that says what, where and which form, the documented
exit status, no control byte, and nothing made."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_support import real_api, run
from stored_platform import ADMIN, deployed, new_platform
from wherry.faces.cli.commands import COMMANDS
from wherry.services import users
from wherry.services.platform import Platform

CASES: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "data" / "bad_input.toml").read_text("utf-8"))
TABLES = ("apps", "users", "keys", "tokens", "releases", "operations", "domains", "volumes", "drains", "events")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    made = new_platform(tmp_path_factory.mktemp("typed"))
    users.add(made, ADMIN, "root", "admin", 0)
    deployed(made)
    deployed(made, "blog")
    return made


@pytest.fixture(scope="module")
def environ(platform: Platform) -> Iterator[dict[str, str]]:
    with real_api(platform.settings.home) as found:
        yield found


def things(platform: Platform) -> dict[str, int]:
    with platform.database.read() as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


@pytest.mark.parametrize("name", CASES)
def test_what_is_typed_wrongly_is_answered_with_the_right_form(name: str, environ: dict[str, str], platform: Platform) -> None:
    case, before = CASES[name], things(platform)
    for given in case["inputs"]:
        words = [*case["command"], given]
        known = COMMANDS.get(words[0])
        ran = run([words[0], *(["--no-wait"] if known and known.changes else []), *words[1:]], environ)
        first, *hints = ran.err.splitlines()
        assert (ran.status, ran.out) == (case.get("exit", 2), ""), (words, ran)
        assert case["says"] in first and len(first) < 400, (words, first)
        assert len(hints) <= 1 and all(line.isprintable() for line in (first, *hints)), (words, ran.err)
        assert "Traceback" not in ran.err
        assert things(platform) == before, words
