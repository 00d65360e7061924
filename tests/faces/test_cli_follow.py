"""Following and letting go: real programs, signals and terminals before a real API whose engine is not there."""

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import ARGV, real_api, run
from platform_support import settings_in
from waiting import until
from wherry.model.build import Build
from wherry.store import apps, builds, releases
from wherry.store.app_logs import AppLogs
from wherry.store.database import Database
from wherry.store.operation_logs import OperationLogs

AT = "2026-01-01T00:00:00.000000Z"


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A platform without an engine: what is asked of it stays queued."""
    home = tmp_path_factory.mktemp("home")
    database = Database(settings_in(home).database)
    database.migrate()
    with database.write() as connection:
        app = apps.create(connection, "shop", "alice", AT)
        build = builds.add(connection, Build(0, app.id, "a" * 40, "b" * 40, "text", "good", 1, {"web": "run"}, AT))
        release = releases.add(connection, app, build, {}, "Deploy aaaaaaa", "alice", AT)
        releases.record_outcome(connection, release, "live", "", AT)
        apps.change(connection, app, release=1, running=1)
    database.close()
    with real_api(home) as found:
        yield found


def test_ctrl_c_stops_following_and_not_the_operation(environ: dict[str, str]) -> None:
    program = subprocess.Popen([*ARGV, "ps:scale", "shop", "web=2"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: "scale shop web=2" in run(["operations", "shop"], environ).out)
    number = run(["operations", "shop"], environ).out.split()[0]
    OperationLogs(settings_in(Path(environ["WHERRY_HOME"])).operation_logs).write(int(number), "web.2 is about to start")
    assert program.stdout and program.stdout.readline() == "web.2 is about to start\n"
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=60)
    assert (program.returncode, out, err) == (130, "", f"\nstill running: wherry operations:info {number}\n")
    assert f"operation  {number}  queued" in run(["operations:info", number], environ).out


def test_an_operation_that_is_cancelled_ends_its_followers_with_the_truth(environ: dict[str, str]) -> None:
    program = subprocess.Popen([*ARGV, "ps:restart", "shop"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: "restart shop" in run(["operations", "shop"], environ).out)
    number = run(["operations", "shop"], environ).out.split()[0]
    assert run(["operations:cancel", number], environ) == (0, f"operation {number} is cancelled\n", "")
    _, err = program.communicate(timeout=60)
    assert program.returncode == 1 and err.endswith(f" !     operation {number} was cancelled\n")
    assert run(["operations:cancel", number], environ).status == 5


def test_who_waits_behind_another_operation_is_told_which_it_is(environ: dict[str, str]) -> None:
    before = run(["ps:scale", "shop", "web=5", "--no-wait"], environ).out.split()[1]
    program = subprocess.Popen([*ARGV, "ps:restart", "shop"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert program.stderr is not None
    assert program.stderr.readline() == f"waiting for operation {before} (scale by root)\n"
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=60)
    assert (program.returncode, out) == (130, "") and err.count("waiting") == 0, err


def test_a_log_is_followed_line_by_line_until_ctrl_c(environ: dict[str, str]) -> None:
    logs = AppLogs(Path(environ["WHERRY_HOME"]) / "logs" / "apps")
    logs.platform_line("shop", "web.1", "State changed from starting to up")
    assert run(["logs", "shop", "-n", "1"], environ).out.rstrip("\n").endswith("wherry[web.1]: State changed from starting to up")
    program = subprocess.Popen(
        [*ARGV, "logs", "shop", "-t", "-p", "web"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert program.stdout.readline().endswith("State changed from starting to up\n")
    logs.platform_line("shop", "web.1", "ends \x1b[2J here")
    assert "\x1b" not in program.stdout.readline()
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=60)
    assert (program.returncode, err) == (130, "")


def test_a_reader_that_goes_away_ends_a_followed_log_quietly(environ: dict[str, str]) -> None:
    logs = AppLogs(Path(environ["WHERRY_HOME"]) / "logs" / "apps")
    logs.platform_line("shop", "web.2", "one")
    program = subprocess.Popen(
        [*ARGV, "logs", "shop", "-t", "-p", "web.2"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    program.stdout.readline()
    program.stdout.close()
    logs.platform_line("shop", "web.2", "two")
    assert program.wait(60) == 141
    assert program.stderr is not None
    assert program.stderr.read() == ""
    program.stderr.close()


def on_terminal(words: list[str], environ: dict[str, str]) -> str:
    """What a command prints to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    done = subprocess.run([*ARGV, *words], env=environ, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, timeout=60, check=False)
    os.close(theirs)
    printed = os.read(ours, 65536).decode().replace("\r\n", "\n")
    os.close(ours)
    assert done.returncode == 0
    return printed


def test_a_terminal_gets_colour_unless_it_asks_for_none(environ: dict[str, str]) -> None:
    assert "\x1b[32mlive\x1b[0m" in on_terminal(["releases", "shop"], {**environ, "TERM": "xterm"})
    assert "\x1b" not in on_terminal(["releases", "shop"], {**environ, "TERM": "xterm", "NO_COLOR": "1"})
    assert "\x1b" not in on_terminal(["releases", "shop"], {**environ, "TERM": "dumb"})


def test_a_terminal_of_80_columns_is_not_overrun_and_a_pipe_gets_all(environ: dict[str, str]) -> None:
    run(["config:set", "shop", "LONG=" + "x" * 100, "--no-wait"], environ)
    run(["apps:create", "wide"], environ)
    run(["config:set", "wide", "LONG=" + "x" * 100], environ)
    assert on_terminal(["config", "wide", "--reveal"], environ) == "LONG  " + "x" * 73 + "…\n"
    assert run(["config", "wide", "--reveal"], environ).out == "LONG  " + "x" * 100 + "\n"


def test_open_prints_the_address_and_opens_a_browser_only_on_a_desktop(environ: dict[str, str], tmp_path: Path) -> None:
    browser = tmp_path / "xdg-open"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    desktop = {**environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "DISPLAY": ":0"}
    assert run(["open", "shop"], desktop).out == "http://shop.localhost\n"
    assert on_terminal(["open", "shop"], {**desktop, "DISPLAY": ""}) == "http://shop.localhost\n"
    assert not (tmp_path / "opened").exists()
    assert on_terminal(["open", "shop"], desktop) == "http://shop.localhost\n"
    until(lambda: (tmp_path / "opened").exists() and (tmp_path / "opened").read_text())
    assert (tmp_path / "opened").read_text() == "http://shop.localhost\n"


def completed_by_bash(line: str, environ: dict[str, str], tmp_path: Path) -> list[str]:
    """What bash itself puts into COMPREPLY for a line typed so far."""
    (tmp_path / "wherry").write_text("#!/bin/sh\nexec " + " ".join(ARGV) + ' "$@"\n')
    (tmp_path / "wherry").chmod(0o755)
    script = 'eval "$(wherry completion)"; COMP_LINE=$1; COMP_POINT=${#1}; _wherry; printf "%s\\n" "${COMPREPLY[@]}"'
    path = {**environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "--norc", "-uc", script, "bash", line], env=path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("wherry ps:sc", ["scale"]),
        ("wherry ps:scale sho", ["shop"]),
        ("wherry ps:scale shop we", ["web="]),
        ("wherry rollback shop ", ["v1"]),
        ("wherry rol", ["rollback"]),
        ("wherry logs shop --ta", ["--tail"]),
        ("wherry nosuch x", []),
        ("wherry ps '$(touch x)", []),
    ],
)
def test_bash_completes_what_is_typed(line: str, replies: list[str], environ: dict[str, str], tmp_path: Path) -> None:
    assert completed_by_bash(line, environ, tmp_path) == replies
