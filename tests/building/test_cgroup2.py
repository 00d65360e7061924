"""The limits of builds over a tree of cgroup v2 that is the kernel's own: a branch of the machine's, with as many controllers as it gets.

Where cgroup v1 holds a controller, as on a machine that mounts both, v2 has not got it, and what needs it is skipped.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from waiting import until
from wherry.building.idleness import Idleness
from wherry.building.limits import Limits

STEP = "system.slice/system.slice:docker:step"
EAT = "import time; held = bytearray(512 << 20); time.sleep(60)"
FORK = "import os, time\nfor _ in range(60):\n    os.fork() or time.sleep(60)\n"


def mounted() -> Path | None:
    mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    return next((Path(where) for _, where, kind, *_ in mounts if kind == "cgroup2"), None)


@pytest.fixture
def tree() -> Iterator[Path]:
    """A branch that stands for the whole tree, without any process."""
    top = mounted()
    if top is None:
        pytest.skip("no cgroup2 is mounted here")
    branch = top / f"wherry-test-{uuid.uuid4().hex[:8]}"
    try:
        for controller in ("memory", "cpu", "pids", "io"):
            with contextlib.suppress(OSError):
                (top / "cgroup.subtree_control").write_text(f"+{controller}")
        (branch / STEP).mkdir(parents=True)
    except OSError as error:
        pytest.skip(f"no cgroup can be made in {top}: {error.strerror}")
    yield branch
    for group in (*sorted(branch.rglob("*/"), reverse=True), branch):
        until(lambda group=group: not (group / "cgroup.procs").read_text(), 60, f"{group} without processes")
        group.rmdir()


def wants(tree: Path, controller: str) -> None:
    if controller not in (tree / "cgroup.controllers").read_text("ascii").split():
        pytest.skip(f"cgroup v1 holds the controller {controller} on this machine")


@contextlib.contextmanager
def running(group: Path, *argv: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is in `group` from its first moment."""
    join = f"import os, sys; open({str(group / 'cgroup.procs')!r}, 'w').write('0'); os.execv(sys.argv[1], sys.argv[1:])"
    with subprocess.Popen([sys.executable, "-c", join, *argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
        try:
            until(lambda: str(program.pid) in (group / "cgroup.procs").read_text().split() or program.poll() is not None, 60, "the program")
            yield program
        finally:
            program.kill()


def of(pid: int) -> str:
    lines = Path(f"/proc/{pid}/cgroup").read_text("ascii").splitlines()
    return next(line.removeprefix("0::") for line in lines if line.startswith("0::"))


def test_the_processes_of_a_step_are_moved_into_our_group_and_all_of_them_can_be_ended(tree: Path) -> None:
    limits = Limits(1 << 28, name="builds", root=tree)
    limits.prepare()
    sleep = ("/bin/sleep", "60")
    with running(tree / STEP, *sleep) as first, running(tree / STEP, *sleep) as second, subprocess.Popen(sleep) as neighbour:
        limits.apply()
        assert all(of(program.pid).endswith(f"/{tree.name}/builds") for program in (first, second))
        limits.kill()
        assert (first.wait(60), second.wait(60)) == (-9, -9)
        assert neighbour.poll() is None
        neighbour.kill()
    limits.forget()
    assert not (tree / "builds").exists()


def test_a_step_may_not_have_more_processes_than_builds_may(tree: Path) -> None:
    wants(tree, "pids")
    limits = Limits(1 << 28, pids=20, name="builds", root=tree)
    limits.prepare()
    with running(tree / "builds", sys.executable, "-c", FORK):
        until(lambda: limits.taken().pids >= 19, 60, "many processes")
        assert limits.taken().pids <= 20
        limits.kill()


def test_a_step_that_takes_more_memory_than_builds_may_is_ended_and_counted(tree: Path) -> None:
    wants(tree, "memory")
    limits = Limits(64 << 20, name="builds", root=tree)
    limits.prepare()
    with running(tree / "builds", sys.executable, "-c", EAT) as eater:
        assert eater.wait(60) == -9
    assert limits.taken().kills == 1
    assert limits.memories()["builds"].total == 64 << 20


def test_a_build_has_the_class_and_the_weight_that_give_way(tree: Path) -> None:
    wants(tree, "cpu")
    at = [0.0]
    limits = Limits(1 << 28, cpu=1.5, name="builds", root=tree, idleness=Idleness(lambda: at[0]))
    limits.prepare()
    seen = [(tree / "builds/cpu.idle").read_text().strip()]
    at[0] = 1.5  # it had nothing of the processor for a second
    limits.apply()
    seen.append((tree / "builds/cpu.idle").read_text().strip())
    assert seen == ["1", "0"]
    assert [(tree / "builds" / name).read_text().strip() for name in ("cpu.weight", "cpu.max")] == ["6", "150000 100000"]


def test_what_a_build_used_of_the_processor_is_counted(tree: Path) -> None:
    limits = Limits(1 << 28, name="builds", root=tree)
    limits.prepare()
    with running(tree / "builds", sys.executable, "-c", "while True: pass"):
        began = time.monotonic()
        until(lambda: limits._used() > 0.2, 60, "some use of the processor")
        assert limits._used() < (time.monotonic() - began + 5) * (os.cpu_count() or 1)
        limits.kill()
