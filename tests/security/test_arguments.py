"""What everybody on the machine can read of a command line that runs: `ps` shows the arguments of all processes to all accounts."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import ARGV
from waiting import within
from wherry.words import from_environment, to_environment


def arguments_of(process: subprocess.Popen[bytes]) -> bytes:
    return Path(f"/proc/{process.pid}/cmdline").read_bytes()


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """The home of a platform whose API takes connections and says nothing."""
    (tmp_path / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "run" / "api.sock"))
        door.listen()
        yield tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["config:set", "shop", "TOKEN=s3cret", "B=x y"],
        ["drains:add", "shop", "https://me:s3cret@example.org/"],
        ["config:set", "shop", "A=\u00e9s3cret"],
    ],
    ids=["config", "address", "another script"],
)
def test_a_value_is_gone_from_the_arguments_while_the_command_runs(silent: Path, words: list[str]) -> None:
    env = {"WHERRY_HOME": str(silent), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    process = subprocess.Popen([*ARGV, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert within(20, lambda: b"s3cret" not in arguments_of(process) and b"main.py" in arguments_of(process))
        assert process.poll() is None, process.communicate()[0]
        assert words[0].encode() in arguments_of(process)
    finally:
        process.kill()
        process.communicate()


def test_words_come_back_as_they_were_given() -> None:
    for words in ([], ["a"], ["", "A=b c\n", "\u00e9", "\x01"]):
        assert from_environment({"PATH": "/bin", **to_environment(words)}) == words
