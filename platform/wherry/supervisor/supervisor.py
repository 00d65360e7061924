"""Starts the parts of a platform in order, restarts those that die, stops them in order.

The first part goes first; the others start when it has created the `ready` file, or after a while with what `early`
can make of it. Signals: SIGTERM and SIGINT stop
everything; SIGUSR2 stops all but the parts that outlive us (the proxy) so that the caller can start new code in this
very process; SIGHUP is ignored. Nobody else changes what runs, so one thread and no locks are enough.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from wherry import clock
from wherry.supervisor import process
from wherry.supervisor.child import Child, Part
from wherry.supervisor.streams import keep_speaking
from wherry.supervisor.thrift import Thrift

HEARD = frozenset({signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGHUP})
STOP, RELOAD = "stop", "reload"
MEANING = {signal.SIGTERM: STOP, signal.SIGINT: STOP, signal.SIGUSR2: RELOAD}
READY_PATIENCE = 20.0
"""Seconds after which the others start without the first part's word: for visitors "starting" is better than nobody."""
LOG_LIMIT = 5_000_000


class Supervisor:
    """`name` is the platform's; `close` are descriptors that are no business of the children (the lock). `early` is
    called before the others start without the first part's word, unless an adopted one serves already."""

    def __init__(
        self,
        name: str,
        parts: Sequence[Part],
        ready: Path,
        log: Path | None = None,
        close: tuple[int, ...] = (),
        early: Callable[[], None] = lambda: None,
        patience: float = READY_PATIENCE,
    ) -> None:
        self._children = [Child(part, f"{name}: {part.name}") for part in parts]
        self._ready = ready
        self._opened = False
        self._log = log
        self._close = close
        self._early, self._early_after = early, patience
        self._began = clock.monotonic()
        self._thrift = Thrift()

    def run(self) -> str:
        """Blocks until told to end; returns STOP when everything is stopped, RELOAD when only survivors run."""
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        keep_speaking()
        self._ready.unlink(missing_ok=True)
        _share_memory()
        self._adopt()
        while not (wish := self._turn()):
            pass
        self._stop(wish)
        return wish

    def _turn(self) -> str:
        """One round: start what is due, sleep until something happens, note what ended. Returns the wish to end."""
        self._start_due()
        heard = signal.sigtimedwait(HEARD, self._patience())
        self._reap()
        self._trim_log()
        self._thrift.when_due()
        return MEANING.get(signal.Signals(heard.si_signo), "") if heard else ""

    def _adopt(self) -> None:
        for child in self._children:
            if child.adopt():
                say(f"{child.part.name} still runs as process {child.pid}; kept")

    def _start_due(self) -> None:
        now = clock.monotonic()
        for child in self._children:
            if not child.pid and child.due <= now and self._may_start(child):
                child.start(self._close)
                say(f"{child.part.name} started as process {child.pid}")

    def _may_start(self, child: Child) -> bool:
        if child is self._children[0]:
            return True
        if not self._opened and not self._ready.exists() and clock.monotonic() - self._began > self._early_after:
            self._open_early()
        self._opened = self._opened or self._ready.exists()
        return self._opened

    def _open_early(self) -> None:
        say(f"{self._children[0].part.name} is not ready after {self._early_after:g} s; the others start without it")
        if not any(child.adopted for child in self._children):
            self._early()
        self._opened = True

    def _patience(self) -> float:
        """Seconds until there may be something to do without a signal."""
        if not self._opened and len(self._children) > 1:
            return 0.02
        if any(child.adopted for child in self._children):
            return 0.5
        waits = [child.due - clock.monotonic() for child in self._children if not child.pid]
        return max(0.01, min([*waits, 20.0]))

    def _reap(self) -> None:
        gone = _ended()
        for child in self._children:
            lost = child.adopted and child.pid and not process.alive(child.pid)
            if child.pid in gone or lost:
                why = _reason(gone.get(child.pid))
                say(f"{child.part.name} ended ({why}); next start in {child.ended():.1f} s")

    def _stop(self, wish: str) -> None:
        """In reverse order of the start; what outlives us goes last, or stays for the next one of us."""
        survivors = [child for child in self._children if child.part.pid_file]
        mortal = [child for child in reversed(self._children) if not child.part.pid_file]
        for child in mortal + (survivors if wish == STOP else []):
            self._end(child)

    def _end(self, child: Child) -> None:
        for number in child.part.stop_signals:
            child.signal(number)
            if self._gone_within(child, child.part.grace):
                return
        say(f"{child.part.name} did not end within {child.part.grace:g} s; killed")
        child.signal(signal.SIGKILL)
        self._gone_within(child, 5.0)

    def _gone_within(self, child: Child, seconds: float) -> bool:
        deadline = clock.monotonic() + seconds
        while child.pid and clock.monotonic() < deadline:
            gone = _ended()
            for other in self._children:
                if other.pid in gone or (other.pid and not process.alive(other.pid)):
                    other.pid = 0
            if child.pid:
                signal.sigtimedwait([signal.SIGCHLD], 0.05)
        return not child.pid

    def _trim_log(self) -> None:
        """Keeps the last part of the log beside it and starts over. The file is shared by all processes, opened to append."""
        if self._log and self._log.exists() and self._log.stat().st_size > LOG_LIMIT:
            before = self._log.with_suffix(".log.1")
            try:
                before.write_bytes(self._log.read_bytes())
            except OSError:  # a full disk: better no log of yesterday than no platform today
                before.unlink(missing_ok=True)
            os.truncate(self._log, 0)


def say(line: str) -> None:
    """One line for the journal or the log file."""
    print(f"{clock.now()} supervisor: {line}", file=sys.stderr, flush=True)


def _share_memory() -> None:
    """What is loaded now stays in pages that all forks share; the collector would otherwise write to every one."""
    gc.collect()
    gc.freeze()


def _ended() -> dict[int, int]:
    """Process ids of children that ended, with their wait status. In a container we are init and reap orphans too."""
    gone: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return gone
        if not pid:
            return gone
        gone[pid] = status


def _reason(status: int | None) -> str:
    if status is None:
        return "gone"
    code = os.waitstatus_to_exitcode(status)
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name
