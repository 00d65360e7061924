"""The command line starts fast because it imports little: this holds the list, a clock would only measure the machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli_support import ARGV, PROGRAM, OddServer, answer, run, run_program

HEAVY = {
    "argparse", "asyncio", "ctypes", "dataclasses", "docker", "email", "flask", "gunicorn", "http", "inspect", "ipaddress", "logging",
    "msgspec", "paramiko", "pathlib", "shutil", "site", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "urllib", "zipfile",
}  # fmt: skip
ROOMS = {
    "access",
    "building",
    "command",
    "metering",
    "model",
    "receiving",
    "reconciler",
    "routing",
    "running",
    "services",
    "settings",
    "store",
}


def imported(words: list[str], environ: dict[str, str]) -> set[str]:
    """Every module that a command loads, as the interpreter itself reports."""
    argv = [sys.executable, "-I", "-S", "-X", "importtime", str(PROGRAM), *words]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_a_command_with_a_request_imports_nothing_heavy(tmp_path: Path) -> None:
    with OddServer(tmp_path, answer(b'{"apps": []}')):
        found = imported(["apps"], {"WHERRY_HOME": str(tmp_path)})
    assert "wherry.faces.cli.apps" in found
    assert {name.partition(".")[0] for name in found} & HEAVY == set()
    assert {name.split(".")[1] for name in found if name.startswith("wherry.")} & ROOMS == set()


def test_only_the_file_of_the_command_is_imported(tmp_path: Path) -> None:
    found = imported(["help"], {"WHERRY_HOME": str(tmp_path)})
    assert "wherry.faces.cli.help" in found
    assert found & {"wherry.faces.cli.apps", "wherry.faces.cli.follow", "wherry.faces.cli.completion", "textwrap", "difflib"} == set()


def test_it_runs_from_any_folder_and_by_any_link(tmp_path: Path) -> None:
    link = tmp_path / "wherry"
    link.symlink_to(PROGRAM)
    done = subprocess.run([sys.executable, "-I", "-S", str(link), "help"], cwd="/", env={}, capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith(b"usage: wherry")


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "xx_XX.ISO-8859-1"])
def test_words_are_utf8_in_every_locale(locale: str, tmp_path: Path) -> None:
    with OddServer(tmp_path, answer(b'{"message": "set"}')) as server:
        ran = run_program(["config:set", "shop", "NAME=bücher \U0001f4da"], {"WHERRY_HOME": str(tmp_path), "LC_ALL": locale})
    assert ran == (0, "set\n", "")
    assert server.asked[0].endswith(b'{"NAME": "b\\u00fccher \\ud83d\\udcda"}')


def test_a_closed_pipe_ends_it_without_a_word() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*ARGV, "help", "--markdown"], env={}, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_closed_streams_are_no_traceback(tmp_path: Path) -> None:
    shell = ["sh", "-c", 'exec "$@" <&- >&-', "sh"]
    done = subprocess.run([*shell, *ARGV, "help"], env={}, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    done = subprocess.run([*shell, *ARGV, "keys:add", "laptop"], env={"WHERRY_HOME": str(tmp_path)}, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 6
    assert done.stderr.startswith(b"the platform is not running")


@pytest.mark.parametrize(
    ("kept", "environ", "port"),
    [
        ("WHERRY_SSH_PORT=17223\nWHERRY_NAME=wherry\n", {}, "17223"),
        ("WHERRY_NAME=wherry\n", {}, "2222"),
        ("WHERRY_SSH_PORT=$(id)\n", {}, "2222"),
        (None, {}, "2222"),
        (None, {"WHERRY_SSH_PORT": "2022"}, "2022"),
        ("WHERRY_SSH_PORT=17223\n", {"WHERRY_API_URL": "http://127.0.0.1:1"}, "2222"),
    ],
)
def test_help_names_the_port_where_this_platform_takes_ssh(tmp_path: Path, kept: str | None, environ: dict[str, str], port: str) -> None:
    if kept is not None:
        (tmp_path / "settings.env").write_text(f"# Settings\n{kept}")
    shown = run(["help"], {"WHERRY_HOME": str(tmp_path), **environ}).out
    assert f"From elsewhere: ssh -p {port} wherry@HOST COMMAND" in shown.splitlines()[-1]
