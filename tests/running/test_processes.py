"""What the kernel's table says of a process: whether a signal would be lost on it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from wherry.running.processes import LISTENS_WITHIN, until_it_listens

DEAF = "import time; print('up', flush=True); time.sleep(1000)"
CATCHES = f"import signal; signal.signal(signal.SIGTERM, lambda *_: None); {DEAF}"
BLOCKS = f"import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); {DEAF}"
FETCHES = (
    "import signal, subprocess; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]);"
    " subprocess.Popen(['sleep', '1000']); print('up', flush=True); signal.sigwait([signal.SIGTERM])"
)


@contextmanager
def program(code: str) -> Iterator[int]:
    """A Python that runs `code` up to its word that it is up."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, process_group=0) as process:
        assert process.stdout and process.stdout.readline() == b"up\n"
        try:
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def waited(pid: int) -> float:
    began = time.monotonic()
    until_it_listens(pid)
    return time.monotonic() - began


@pytest.mark.parametrize("code", [CATCHES, BLOCKS, FETCHES], ids=["catches", "blocks", "fetches"])
def test_who_takes_the_signal_is_not_waited_for(code: str) -> None:
    with program(code) as pid:
        assert min(waited(pid) for _ in range(3)) < LISTENS_WITHIN


def test_who_never_says_that_it_does_is_waited_for_a_moment() -> None:
    with program(DEAF) as pid:
        assert waited(pid) >= LISTENS_WITHIN


def test_who_is_gone_is_not_waited_for() -> None:
    assert min(waited(pid) for pid in (0, 4_999_999, 4_999_999)) < LISTENS_WITHIN
