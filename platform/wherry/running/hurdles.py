"""The checks that stand between an instance and its first visitor, taken one after the other. Knows when to give up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wherry import clock
from wherry.model.check import HealthCheck, Result

COMMAND_REST = 1.0
"""Seconds between two runs of a command: each starts a process in the instance."""


@dataclass(frozen=True)
class Failed:
    """A check and why it did not pass when it was asked last."""

    check: HealthCheck
    result: Result


class Hurdles:
    """`ask` looks once; `age` is how long the instance runs already, in seconds; `started` is what shows readiness when
    there is no check. `last` is the failure that is in the way."""

    def __init__(self, checks: tuple[HealthCheck, ...], ask: Callable[[HealthCheck], Result], age: float, started: str) -> None:
        self.last: Failed | None = None
        self._left = list(checks)
        self._ask = ask
        self._born = clock.monotonic() - age
        self._since: float | None = None
        self._proof = started

    def taken(self) -> str | None:
        """Goes on with the check that is in the way; what the last one said once all have passed."""
        while self._left:
            check, now = self._left[0], clock.monotonic()
            if now - self._born < check.initial_delay:
                return None
            self._since = now if self._since is None else self._since
            result = self._ask(check)
            if not result.passed:
                self.last = Failed(check, result)
                return None
            self.last, self._since, self._proof = None, None, result.words
            del self._left[0]
        return self._proof

    def refused(self) -> bool:
        """Whether the check in the way failed for as long as its author allowed."""
        budget = self.last.check.budget if self.last else None
        return budget is not None and self._since is not None and clock.monotonic() - self._since >= budget

    def rest(self) -> float:
        """Seconds before it makes sense to ask again."""
        return COMMAND_REST if self.last and self.last.check.command else 0.0
