"""One attached run from its ticket to its last word. It ends with its client, as on Heroku: SIGHUP, then SIGKILL."""

from __future__ import annotations

import json
import select
import socket
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass

from wherry import clock
from wherry.errors import NotFound, Unavailable, WherryError
from wherry.model import wire
from wherry.model.run import Run, duration
from wherry.reconciler import run_book
from wherry.reconciler.converge import ensure_network
from wherry.reconciler.outside import Outside
from wherry.reconciler.pump import Pump
from wherry.running.conversation import Conversation
from wherry.store import instances

HANGUP = 2.0
"""Seconds between SIGHUP and SIGKILL for a program whose client has left."""

AFTERTHOUGHT = 0.5
LAST_WORD = 5.0
"""Seconds that a client may take to read how it ended."""


@dataclass(frozen=True)
class Verdict:
    """What is written down of the end, and what the client is told."""

    exit_code: int | None
    reason: str
    error: WherryError | None = None

    def frame(self) -> bytes:
        status = self.error.exit_status if self.error else 1
        told = {"status": status if self.exit_code is None else self.exit_code, "message": "", "hint": "", "code": ""}
        if self.error:
            told |= {"message": self.error.message, "hint": self.error.hint, "code": self.error.code}
        return wire.frame(wire.EXIT, json.dumps(told).encode())


class Attendance:
    """`why` is set by whoever ends this run from outside, before doing it."""

    def __init__(self, outside: Outside, client: socket.socket, run: Run, frames: wire.Frames) -> None:
        self.outside, self.client, self.run = outside, client, run
        self.why: WherryError | None = None
        self.talk: Conversation | None = None
        self._frames = frames
        self._turn = threading.Lock()
        self._begun = False

    def attend(self) -> None:
        """Blocks until the run is over, written down and told. Nothing of it is left."""
        try:
            verdict = self._conversation()
        except WherryError as error:
            verdict = Verdict(None, error.message, error)
        except Exception:
            traceback.print_exc()
            ours = WherryError("an error of Wherry's own, not of your app", hint="Please report it with: journalctl -u wherry")
            verdict = Verdict(None, "an error of the platform", ours)
        try:
            run_book.ended(self.outside, self.run, verdict.exit_code, verdict.reason)
        except Unavailable as error:
            verdict = Verdict(verdict.exit_code, verdict.reason, verdict.error or error)
        self._tell(verdict)
        if self.talk:
            self.talk.close()

    def end(self, why: WherryError, signal: str = "TERM") -> None:
        """Asks the program to end, for a reason that its client is told. One that has not begun does not begin."""
        with self._turn:
            self.why = self.why or why
            if self.talk and self._begun:
                self.talk.signal(signal)

    def hang_up(self, why: WherryError) -> None:
        """Ends it at once, as when its client leaves, but tells the client why."""
        self.why = self.why or why
        with suppress(OSError):
            self.client.shutdown(socket.SHUT_RD)

    def _conversation(self) -> Verdict:
        talk = self.talk = self._open()
        run_book.announced(self.outside, self.run)
        run_book.started(self.outside, self.run, talk.container)
        with suppress(OSError):
            self.client.sendall(wire.frame(wire.READY, self.run.name.encode()))
        if not self._begin(talk):
            talk.kill()
            return Verdict(None, self.why.message if self.why else "", self.why)
        if self.run.screen:
            talk.resize(self.run.screen.rows, self.run.screen.columns)
        pump = Pump(self.client, talk, self._frames)
        if not pump.run():
            _end(talk)
            if not self.why:
                return Verdict(talk.ending().exit_code, "its client left")
        return self._verdict(talk, pump.absent)

    def _begin(self, talk: Conversation) -> bool:
        """False when somebody ended it before: a signal would have met nobody, and the program would be asked no second time."""
        with self._turn:
            if self.why is None:
                talk.begin()
                self._begun = True
        return self._begun

    def _open(self) -> Conversation:
        run = self.run
        if not run.instance:
            ensure_network(self.outside, run.app)
            return self.outside.engine.converse(run_book.spec_of_run(self.outside, run), run.screen)
        argv = list(run.command) if len(run.command) > 1 else ["/bin/sh", "-c", run.command[0]]
        return self.outside.engine.enter(_container(self.outside, run), argv, run.screen)

    def _verdict(self, talk: Conversation, absent: bool) -> Verdict:
        run, ending = self.run, talk.ending()
        code = ending.exit_code
        if self.why:
            return Verdict(None if self.why.code == "platform_restarts" else code, self.why.message, self.why)
        if absent:
            where = f"in {run.instance}" if run.instance else f"in the image of v{run.release}"
            error = _worded(f'"{run.program}" is not {where}, or not on its PATH', "command_missing")
            return Verdict(127, "command not found", error)
        if ending.oom:
            hint = f"Give it more: wherry run --memory {2 * run.memory}m {run.app} …"
            return Verdict(code, "R14 out of memory", _worded(f"{run.name} used more than its {run.memory} MB and was killed", "R14", hint))
        if code is None:
            return Verdict(None, "", _worded(f"nobody can tell how {run.name} ended", "connection_lost"))
        if run.instance and code in (137, 143) and not _is_up(self.outside, talk, run):
            return Verdict(code, f"{run.instance} ended", _worded(f"{run.instance} ended, and {run.name} with it", "no_such_instance"))
        return Verdict(code, "")

    def _tell(self, verdict: Verdict) -> None:
        with suppress(OSError):
            self.client.settimeout(LAST_WORD)
            self.client.sendall(verdict.frame())
        self.client.close()


def stopped(run: Run, by: str) -> WherryError:
    return _worded(f"{run.name} was stopped by {by}", "stopped")


def out_of_time(run: Run) -> WherryError:
    return _worded(f"{run.name} reached its time limit of {duration(run.time_limit or 0)}", "time_limit")


def restarting(run: Run) -> WherryError:
    return Unavailable(f"the platform is restarting, and {run.name} ended with it", code="platform_restarts", hint="Run it again.")


def _worded(message: str, code: str, hint: str = "") -> WherryError:
    return WherryError(message, code=code, hint=hint)


def _container(outside: Outside, run: Run) -> str:
    """The container of the instance as of now. Raises NotFound when it went since the shell was wished."""
    with outside.database.read() as connection:
        rows = instances.of_app(connection, run.app)
    for row in rows:
        if row.name == run.instance and row.container and row.state in ("starting", "running"):
            return row.container
    raise NotFound(f"{run.instance} of {run.app} does not run", code="no_such_instance", hint=f"See what runs: wherry ps {run.app}")


def _is_up(outside: Outside, talk: Conversation, run: Run) -> bool:
    """Whether the instance outlived what ran inside it. Docker kills that first, and says a moment later what it did."""
    end = clock.monotonic() + AFTERTHOUGHT
    while clock.monotonic() < end:
        if outside.memory.is_leaving(talk.container):
            return False
        if not any(seen.running for seen in outside.engine.observe(run.app) if seen.id == talk.container):
            return False
        clock.sleep(0.1)
    return True


def _end(talk: Conversation) -> None:
    """Nobody listens any more: the program may tidy up for a moment."""
    talk.signal("HUP")
    if not _silent(talk.line, HANGUP):
        talk.kill()
        _silent(talk.line, HANGUP)


def _silent(line: socket.socket, patience: float) -> bool:
    """Reads `line` to its end; False when that has not come after `patience` seconds."""
    end = clock.monotonic() + patience
    poll = select.poll()
    poll.register(line, select.POLLIN)
    while (left := end - clock.monotonic()) > 0:
        if poll.poll(left * 1000):
            try:
                if not line.recv(65536):
                    return True
            except BlockingIOError:
                continue
            except OSError:
                return True
    return False
