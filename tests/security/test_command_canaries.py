"""Every word and every option of every command, from the tables themselves, gets texts that a shell would obey."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import real_api, run
from security.canaries import canaries, silent
from stored_platform import ADMIN, deployed, new_platform
from wherry.faces.cli.commands import COMMANDS, Command
from wherry.receiving import requests
from wherry.services import users

WORDED = [
    command
    for command in COMMANDS.values()
    if command.name != "doctor" and (command.arguments or any(option.value for option in command.own_options))
]
"""`doctor` takes no word that goes further than the machine it is typed on, and waits for an engine."""


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("words")
    made = new_platform(home)
    users.add(made, ADMIN, "root", "admin", 0)
    deployed(made)
    with real_api(home) as found:
        yield found


def line(command: Command, text: str) -> list[str]:
    """The command with the text as each of its words and as the value of each of its options."""
    valued = [part for option in command.own_options if option.value for part in (option.long, text)]
    rest = ["--no-wait"] if command.changes else []
    return [command.name, *valued, *rest, *(text for _ in command.arguments)]


@pytest.mark.parametrize("command", WORDED, ids=lambda command: command.name)
def test_no_word_of_a_command_is_run_or_ends_in_an_error_of_ours(command: Command, environ: dict[str, str], tmp_path: Path) -> None:
    for text in canaries(tmp_path):
        done = run(line(command, text), environ, b"")
        assert "Traceback" not in done.out + done.err
        assert "an unexpected error" not in done.err, (command.name, text, done.err)
    assert silent(tmp_path)


def test_no_line_over_ssh_is_read_by_a_shell(tmp_path: Path) -> None:
    """It becomes a list of words: what looks like a substitution stays one word's text."""
    for text in canaries(tmp_path):
        try:
            found = requests.parse(f"apps:info {text}".encode())
        except requests.InvalidInput:
            continue
        assert isinstance(found, requests.Run)
    assert silent(tmp_path)
