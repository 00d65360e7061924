"""Commands beside a pushed app on a platform as people have it: accounts, SSH, memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable

import pytest

from run_support import at_terminal
from scenario_support import Repository, Site
from waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.scenario]


def test_a_pushed_app_is_looked_into_from_the_machine_and_over_ssh(here: Site, app: Callable[[str], Repository]) -> None:
    pushed = app("lookinto").release(1)
    assert pushed.status == 0, pushed.text
    done = here.wherry(
        "run", "lookinto", "python", "-c", "import os,sys; print(os.environ['WHERRY_INSTANCE'], sys.stdin.read())", stdin="x"
    )
    assert (done.status, done.text) == (0, "run.1 x\n")
    assert here.ssh("run", "lookinto", "python", "-c", "'raise SystemExit(7)'").status == 7
    assert "app.py" in here.ssh("enter", "lookinto", "web.1", "ls").text
    argv = [*here.ssh_argv(), "-t", "wherry@127.0.0.1", "run", "lookinto", "python"]
    with at_terminal(argv, dict(os.environ), rows=30, columns=90) as typist:
        typist.until(b">>> ", 60)
        typist.type(b"import os; os.get_terminal_size()\r")
        typist.until(b"columns=90, lines=30")
        typist.type(b"raise SystemExit(5)\r")
        assert typist.leave() == 5
    until(lambda: "no run is open" in here.wherry("run:list", "lookinto").text)


def test_a_cut_connection_leaves_nothing(here: Site, app: Callable[[str], Repository]) -> None:
    assert app("cutoff").release(1).status == 0
    before = here.containers("cutoff")
    argv = [*here.ssh_argv(), "wherry@127.0.0.1", "run", "cutoff", "sleep", "1000"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as ssh:
        until(lambda: len(here.containers("cutoff")) > len(before))
        time.sleep(0.5)
        ssh.kill()
    until(lambda: here.containers("cutoff") == before)
