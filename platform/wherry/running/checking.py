"""Asks an instance one health check, once, and says what was seen. Whoever needs to wait asks again."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from wherry import clock
from wherry.errors import DeployFailed, NotFound
from wherry.model.check import PORT, Answer, HealthCheck, Result
from wherry.running.engine import Observed, OneOff
from wherry.running.shell_line import shell_argv

LONGEST_WORDS = 120


class Sight(Protocol):
    """What is needed of the eyes."""

    def listens(self, address: str, port: int, timeout: float = 1.0) -> bool: ...

    def fetch(self, address: str, port: int, check: HealthCheck, host: str = "localhost") -> Answer | None:
        """What a GET of the check's path answers, None when nothing came within its timeout."""


class Hands(Protocol):
    """What is needed of the engine."""

    def execute(self, container: str, argv: list[str], timeout: float) -> OneOff: ...


def ask(hands: Hands, sight: Sight, seen: Observed, check: HealthCheck, host: str = "localhost") -> Result:
    """Blocks for at most the check's timeout. Raises Unavailable when the engine does not answer."""
    if check.path:
        return _fetched(check, sight.fetch(seen.address, _port(seen, check), check, host))
    if check.command:
        return _executed(hands, seen, check)
    if check.uptime:
        up = age(seen)
        return Result(up >= check.uptime, f"up {min(up, check.uptime):.0f} s" + ("" if up >= check.uptime else f" of {check.uptime}"))
    port = _port(seen, check)
    heard = sight.listens(seen.address, port, check.timeout)
    return Result(heard, f"listening on {port}" if heard else f"nothing listens on port {port}")


def age(seen: Observed) -> float:
    """Seconds since the instance was started, by the machine's clock; 0 when that can not be told."""
    try:
        started = datetime.fromisoformat(seen.started_at[:26].rstrip("Z") + "+00:00")
    except ValueError:
        return 0.0
    return max(0.0, (clock.parse(clock.now()) - started).total_seconds())


def _port(seen: Observed, check: HealthCheck) -> int:
    return check.port or seen.port or PORT


def _fetched(check: HealthCheck, answer: Answer | None) -> Result:
    if answer is None:
        return Result(False, f"{check.what} did not answer")
    if not 200 <= answer.status < 400:
        return Result(False, f"{check.what} answered {answer.status}")
    if not answer.found:
        return Result(False, f'{check.what} answered {answer.status} without "{check.content[:40]}"')
    return Result(True, f"{check.what} {answer.status}")


def _executed(hands: Hands, seen: Observed, check: HealthCheck) -> Result:
    argv = list(check.command) if len(check.command) > 1 else shell_argv(check.command[0])
    try:
        ended = hands.execute(seen.id, argv, check.timeout)
    except (NotFound, DeployFailed) as error:
        return Result(False, f"{check.what} could not be run: {error.message}"[:LONGEST_WORDS])
    if ended.exit_code is None:
        return Result(False, f"{check.what} did not end within {check.timeout} s")
    said = f": {ended.lines[-1].strip()[:LONGEST_WORDS]}" if ended.lines and ended.exit_code else ""
    return Result(ended.exit_code == 0, f"{check.what} exited with {ended.exit_code}{said}")
