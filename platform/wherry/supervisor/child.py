"""One supervised process: started by fork, restarted with a growing pause, stopped with a limit."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from wherry import clock
from wherry.command import CLEAN_ENVIRONMENT
from wherry.errors import WherryError
from wherry.supervisor import process, thrift

FIRST_PAUSE, LONGEST_PAUSE, HEALTHY_AFTER = 0.1, 5.0, 10.0
UMASK = 0o007
"""Files are for the platform's users and group; who wants a file more private says so when creating it."""


@dataclass(frozen=True)
class Part:
    """A process the platform consists of. Either `run` (in a fork of the parent) or `argv` (another program).

    `user` is the account it runs as. To stop it, each of `stop_signals` is given `grace` seconds, then SIGKILL follows.
    `pid_file` makes it survive the supervisor's death and be adopted by the next one.
    """

    name: str
    run: Callable[[], None] | None = None
    argv: Callable[[], list[str]] | None = None
    user: str = ""
    grace: float = 10.0
    stop_signals: tuple[int, ...] = (signal.SIGTERM,)
    pid_file: Path | None = None


@dataclass
class Child:
    """A part and its present process; `pid` is 0 while there is none."""

    part: Part
    title: str
    pid: int = 0
    adopted: bool = False
    started: float = 0.0
    failures: int = 0
    due: float = field(default_factory=clock.monotonic)

    def start(self, close: tuple[int, ...] = ()) -> None:
        """Forks. All signals are blocked in the parent; the new process unblocks them when it is itself."""
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _live(self, parent, close)
        self.adopted, self.started = False, clock.monotonic()
        self._remember()

    def adopt(self) -> bool:
        """Takes over the process that an earlier supervisor left running, when it is surely the same program."""
        pid = _read_pid(self.part.pid_file)
        if not pid or self.part.argv is None or not _runs(pid, self.part.argv()):
            return False
        self.pid, self.adopted, self.started = pid, True, clock.monotonic()
        return True

    def ended(self) -> float:
        """Notes that the process is gone; returns the pause in seconds before the next start."""
        self.failures = 1 if clock.monotonic() - self.started >= HEALTHY_AFTER else self.failures + 1
        pause = pause_after(self.failures)
        self.pid, self.due = 0, clock.monotonic() + pause
        return pause

    def signal(self, number: int) -> None:
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _remember(self) -> None:
        if self.part.pid_file:
            with suppress(OSError):  # a full disk: then nobody adopts it
                self.part.pid_file.write_text(f"{self.pid}\n", "ascii")


def pause_after(failures: int) -> float:
    """Seconds to wait before start number `failures + 1`: 0.1, 0.2, 0.4 … 10."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (min(failures, 12) - 1)))


def _live(child: Child, parent: int, close: tuple[int, ...]) -> NoReturn:
    """The whole life of the new process; never returns into the supervisor's code."""
    status = 1
    try:
        for descriptor in close:
            os.close(descriptor)
        os.setsid()
        os.umask(UMASK)
        process.become(child.part.user)
        if child.part.pid_file is None:
            process.die_with(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        status = _work(child)
    except WherryError as error:
        print(f"{child.part.name}: {error}", file=sys.stderr)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _work(child: Child) -> int:
    if child.part.argv is not None:
        argv = child.part.argv()
        os.execvpe(argv[0], argv, CLEAN_ENVIRONMENT)
    process.rename(child.title)
    thrift.keep_thrifty()
    if child.part.run is not None:
        child.part.run()
    return 0


def _read_pid(path: Path | None) -> int:
    try:
        return int(path.read_text("ascii")) if path else 0
    except (FileNotFoundError, ValueError):
        return 0


def _runs(pid: int, argv: list[str]) -> bool:
    """A proxy that reloaded itself has more arguments than it was started with, never fewer."""
    seen = process.command_line(pid)
    return process.alive(pid) and Path(seen[0]).name == Path(argv[0]).name and set(argv[1:]) <= set(seen[1:])
