"""What a build ran out of, by the builder's sentence and the last lines of its step; and a fork bomb that never ends by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.building.guard import Disk, Guard
from wherry.building.limits import MACHINE, Limits, Taken
from wherry.building.shortage import PATIENCE
from wherry.machine import Memory
from wherry.model.shares import MB


class Counted(Limits):
    """Limits whose counts the test tells."""

    counts = Taken()

    def taken(self) -> Taken:
        return Counted.counts


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    Counted.counts = Taken()
    return Guard(Counted(256 * MB, pids=100, root=tmp_path), Disk(tmp_path, most=10**15, reserve=0))


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"], "build_memory"),
        (["virtual memory exhausted: Cannot allocate memory"], "build_memory"),
        (["MemoryError"], "build_memory"),
        (["/bin/sh: 1: Cannot fork"], "build_processes"),
        (["bash: fork: retry: Resource temporarily unavailable"], "build_processes"),
        (["RuntimeError: can't start new thread"], "build_processes"),
        (["OSError: [Errno 28] No space left on device"], "build_no_room"),
        (["npm ERR! code ENOSPC"], "build_no_room"),
    ],
)
def test_what_the_step_says_last_tells_what_it_lacked(guard: Guard, lines: list[str], code: str) -> None:
    error = guard.named("exit code: 1", lines)
    assert error is not None and (error.code, error.evidence) == (code, tuple(lines))


@pytest.mark.parametrize(
    "lines", [[], ["Killed"], ["error: Resource temporarily unavailable (try again)"], ["SyntaxError: invalid syntax"]]
)
def test_what_lacked_nothing_of_that_is_not_named_so(guard: Guard, lines: list[str]) -> None:
    assert guard.named("exit code: 137", lines) is None


def test_a_program_that_the_kernel_ended_in_a_build_ran_out_of_memory_whatever_it_said(guard: Guard) -> None:
    Counted.counts = Taken(kills=1, anywhere=1)
    error = guard.named("exit code: 2", ["make: *** [all] Error 2"])
    assert error is not None and error.message == "the build ran out of memory: builds may take 256 MB"


def test_where_the_kernel_does_not_say_in_which_group_the_words_must_say_so_too(guard: Guard) -> None:
    Counted.counts = Taken(anywhere=1)
    assert guard.named("exit code: 2", ["make: *** [all] Error 2"]) is None
    error = guard.named("exit code: 137", ["make: *** [all] Error 2"])
    assert error is not None and error.code == "build_memory"


def test_a_moment_at_the_limit_of_processes_is_fine_and_some_seconds_are_not(tmp_path: Path) -> None:
    now = [100.0]
    Counted.counts = Taken(pids=100)
    guard = Guard(Counted(256 * MB, pids=100, root=tmp_path), Disk(tmp_path, most=10**15, reserve=0), lambda: now[0])
    assert not guard.look()
    Counted.counts = Taken(pids=3)
    now[0] += 5
    assert not guard.look()
    Counted.counts = Taken(pids=99)
    assert not guard.look()
    now[0] += 5
    assert guard.look()
    error = guard.refusal(["last words"])
    assert error is not None and (error.code, error.evidence) == ("build_processes", ("last words",))


def test_a_build_that_wants_more_processes_than_it_may_have_is_ended_sooner(tmp_path: Path) -> None:
    now = [100.0]
    Counted.counts = Taken(refused=7)
    guard = Guard(Counted(256 * MB, pids=100, root=tmp_path), Disk(tmp_path, most=10**15, reserve=0), lambda: now[0])
    Counted.counts = Taken(pids=100, refused=7)
    assert not guard.look()
    now[0] += 1.1
    assert not guard.look()
    Counted.counts = Taken(pids=100, refused=8)
    assert guard.look()


def test_of_builds_that_share_the_limit_the_one_that_only_forks_is_ended_and_named(tmp_path: Path) -> None:
    class Shared(Counted):
        ended = 0

        def kill_largest(self) -> bool:
            Shared.ended += 1
            return True

    now = [100.0]
    Counted.counts = Taken()
    guard = Guard(Shared(256 * MB, pids=100, root=tmp_path), Disk(tmp_path, most=10**15, reserve=0), lambda: now[0])
    Counted.counts = Taken(pids=100, refused=8)
    assert not guard.look()
    now[0] += 1.1
    assert not guard.look() and Shared.ended == 1
    Counted.counts = Taken(pids=3, refused=8)
    now[0] += 5
    assert not guard.look() and Shared.ended == 1
    error = guard.named("process did not complete successfully: exit code: 137", [])
    assert error is not None and error.code == "build_processes"
    assert guard.named("exit code: 1", ["SyntaxError: invalid syntax"]) is None
    now[0] += 60
    assert guard.named("exit code: 137", []) is None


def test_a_build_for_which_the_machine_only_reads_programs_again_is_ended_and_named(tmp_path: Path) -> None:
    class Thrashing(Counted):
        refaults = 0
        killed = 0

        def memories(self) -> dict[str, Memory]:
            Thrashing.refaults += 60_000
            return {MACHINE: Memory(512 * MB, 90 * MB, Thrashing.refaults)}

        def kill(self) -> None:
            Thrashing.killed += 1

    now = [100.0]
    Counted.counts = Taken()
    guard = Guard(Thrashing(256 * MB, root=tmp_path), Disk(tmp_path, most=10**15, reserve=0), lambda: now[0])
    for _ in range(int(PATIENCE)):
        assert not guard.look()
        now[0] += 1
    assert guard.look() and guard.look() and Thrashing.killed == 1
    error = guard.refusal(["> tsc"])
    assert error is not None and (error.code, error.evidence) == ("build_memory", ("> tsc",))
    assert "WHERRY_SWAP=1G" in error.hint


def test_a_build_that_would_take_the_reserve_is_ended(tmp_path: Path) -> None:
    Counted.counts = Taken()
    full = Guard(Counted(256 * MB, root=tmp_path), Disk(tmp_path, most=10**15, reserve=10**18))
    assert full.look()
    error = full.refusal([])
    assert error is not None and (error.code, error.message) == ("build_no_room", "the disk is too full for this build")
