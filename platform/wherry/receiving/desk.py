"""What happens to a command that came over SSH: who is it, may they, and which process answers."""

from __future__ import annotations

import functools
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from wherry import clock, command, machine, words
from wherry.errors import Forbidden, InvalidInput, NotFound, Unavailable, WherryError
from wherry.model import disk
from wherry.model.user import Actor
from wherry.own_name import in_own_name
from wherry.receiving import limits, no_terminal, repositories, requests
from wherry.receiving.requests import Fetch, Push, Request
from wherry.receiving.session import GONE, Session
from wherry.receiving.terminal import Terminal
from wherry.receiving.terminal_session import TerminalSession
from wherry.settings import Settings, as_environment

KEY_IS_GONE = "this key was removed"


@dataclass(frozen=True)
class Caller:
    """The other end of a channel: where they are, who they are now (None once their key is removed), and their terminal,
    when they asked for one."""

    address: str
    identify: Callable[[], Actor | None]
    terminal: Terminal | None = None

    @property
    def raw(self) -> bool:
        """Whether their terminal is in raw mode: it is, once they were granted one."""
        return self.terminal is not None


@dataclass
class Desk:
    """Answers one command per call, in the caller's thread.

    `authorize(actor, needed_role, what)` raises Forbidden. `cli` is the argument list that starts our command line;
    it gets the verb as its argument, and what follows in its environment (`wherry.words`).
    """

    settings: Settings
    authorize: Callable[[Actor, str, str], None]
    cli: Sequence[str]
    patience: float | None = None
    _running: set[Session] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, channel: Any, caller: Caller, line: bytes | None) -> None:
        """Serves the command to its end and closes the channel with its exit status. Never raises."""
        began = clock.monotonic()
        actor = None
        try:
            actor = caller.identify()
            what, status = self._serve(channel, actor, line, caller.terminal)
        except WherryError as error:
            what, status = f"refused: {error.code}", error.exit_status
            _say(channel, _told(error, self.settings.name, "\n") + "\n", caller.raw)
        except Exception:
            what, status = "failed", 1
            _log(traceback.format_exc())
            _say(channel, "an unexpected error of Wherry's own; the platform's log has it\n", caller.raw)
        _close(channel, status)
        name = actor.name if actor else "?"
        _log(f"ssh {caller.address} {name} {what} -> {status} in {clock.monotonic() - began:.1f} s")

    def close(self) -> None:
        """Hangs up on everybody; deploys under way go on in the engine."""
        with self._lock:
            running = list(self._running)
        for session in running:
            threading.Thread(target=session.hang_up, daemon=True).start()

    def _serve(self, channel: Any, actor: Actor | None, line: bytes | None, terminal: Terminal | None) -> tuple[str, int]:
        """Returns what the log says of the command, and the exit status."""
        if actor is None:
            raise Forbidden(KEY_IS_GONE, code="key_removed")
        if line is None:
            raise InvalidInput(requests.LOGIN_IS_OFF, code="no_login")
        try:
            request = requests.parse(line, self.settings.name)
            if not isinstance(request, requests.Run):
                return _title(request), self._serve_git(channel, actor, request)
        except WherryError as error:
            if requests.is_git(line):
                return f"refused: {error.code}", _refuse_in_git(channel, error, self.settings.name)
            raise
        verb, *rest = request.words
        argv, env = [*self.cli, verb], {**self._environment(actor), **words.to_environment(rest)}
        if terminal and verb in requests.AT_A_TERMINAL:
            begin = functools.partial(_at_terminal, channel, argv, {**env, "TERM": terminal.term, "WHERRY_TERMINAL": "1"}, terminal)
            return _title(request), self._attend(begin)
        return _title(request), self._converse(channel, argv, env, raw=terminal is not None)

    def _serve_git(self, channel: Any, actor: Actor, request: Push | Fetch) -> int:
        if isinstance(request, Push):
            return self._take_push(channel, actor, request.app)
        self.authorize(actor, "read", f"fetch {request.app}")
        path = repositories.path_of(self.settings, request.app)
        if not path.exists():
            raise NotFound(f'no app "{request.app}" was pushed here', code="no_such_app", hint="See yours with: wherry apps")
        return self._converse(channel, ["git", "upload-pack", "--strict", str(path)], self._environment(actor, request.app))

    def _take_push(self, channel: Any, actor: Actor, app: str) -> int:
        """Runs `git receive-pack`, which runs the hook; cleans up the repository once the client is served."""
        self.authorize(actor, "deploy", f"push to {app}")
        room = machine.room(self.settings.home)
        if room and room.free < disk.FULL:
            raise disk.full(str(self.settings.home), room.free)
        path = repositories.ensure(self.settings, app)
        lock, receiving = repositories.open_lock(path), repositories.open_receiving(path)
        try:
            environment = self._environment(actor, app, lock)
            status = self._converse(channel, ["git", "receive-pack", str(path)], environment, (lock, receiving))
        finally:
            os.close(lock)
            os.close(receiving)
        _close(channel, status)
        repositories.tidy(path)
        return status

    def _environment(self, actor: Actor, app: str = "", lock: int | None = None) -> dict[str, str]:
        """All that the process learns from its environment comes from us: nothing of it from the client."""
        known = as_environment(self.settings)
        who = {"WHERRY_ACTOR": actor.name, "WHERRY_ROLE": actor.role, "WHERRY_VIA": "ssh", "WHERRY_PYTHON": sys.executable}
        if not app:
            return {**known, **who}
        hook = {"WHERRY_APP": app, "WHERRY_LOCK": str(lock), "WHERRY_HOOK": str(self.settings.hook_socket)}
        patience = {} if self.patience is None else {"WHERRY_PATIENCE": f"{self.patience:g}"}
        return {**known, **who, **repositories.GIT_ENVIRONMENT, **hook, **patience}

    def _converse(self, channel: Any, argv: list[str], env: dict[str, str], fds: tuple[int, ...] = (), raw: bool = False) -> int:
        return self._attend(functools.partial(_in_pipes, channel, argv, env, fds, raw))

    def _attend(self, begin: Callable[[], Session]) -> int:
        """Runs the session that `begin` starts, when there is a place."""
        with self._lock:
            if len(self._running) >= limits.MOST_COMMANDS:
                raise Unavailable(f"{limits.MOST_COMMANDS} commands run over ssh already", hint="Try again in a moment.", code="busy")
            session = begin()
            self._running.add(session)
        try:
            return session.run()
        finally:
            with self._lock:
                self._running.discard(session)


def _in_pipes(channel: Any, argv: list[str], env: dict[str, str], fds: tuple[int, ...], raw: bool) -> Session:
    pipe = command.PIPE
    return Session(channel, command.spawn(argv, env=env, stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=fds), raw)


def _at_terminal(channel: Any, argv: list[str], env: dict[str, str], terminal: Terminal) -> Session:
    """The process adopts its terminal as its own by opening it, being the first of its session (WHERRY_TERMINAL)."""
    try:
        controller, program = terminal.open()
    except OSError as error:
        raise Unavailable(f"this machine has no terminal left: {error.strerror}", hint="Go without: ssh -T", code="no_terminal") from error
    try:
        process = command.spawn(argv, env=env, stdin=program, stdout=program, stderr=program)
    except OSError:
        terminal.close()
        raise
    finally:
        os.close(program)
    return TerminalSession(channel, process, terminal, controller)


def _refuse_in_git(channel: Any, error: WherryError, name: str) -> int:
    """Says it in git's own protocol (an ERR packet), so that git shows our sentence and not its guess about access rights."""
    text = f"ERR {_told(error, name, '. ')}\n".encode()
    with suppress(*GONE):
        channel.sendall(f"{len(text) + 4:04x}".encode() + text)
    return 0


def _told(error: WherryError, name: str, between: str) -> str:
    return in_own_name(between.join(filter(None, (error.message, error.hint))), name, error.quoted)


def _title(request: Request) -> str:
    """What the log shows of a command: never its values, they may be secrets."""
    return request.words[0] if isinstance(request, requests.Run) else f"{type(request).__name__.lower()} {request.app}"


def _say(channel: Any, text: str, raw: bool) -> None:
    with suppress(*GONE):
        channel.sendall_stderr(no_terminal.shown(text.encode()) if raw else text.encode())


def _close(channel: Any, status: int) -> None:
    with suppress(*GONE):
        if not channel.closed:
            channel.send_exit_status(status)
    with suppress(*GONE):
        channel.close()


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
