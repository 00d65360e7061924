"""Runs one build at the engine, under guard: what it ran out of, who stopped it and what broke it become one error each."""

from __future__ import annotations

from collections.abc import Callable

from wherry.building import logins
from wherry.building.builder import Line
from wherry.building.buildkit import BuildKit
from wherry.building.failure import refuse
from wherry.building.guard import Guard, disk_of
from wherry.building.limits import limits_of
from wherry.building.progress import Progress
from wherry.building.solve import Solve, SolveFailed, SolveStopped
from wherry.errors import DeployFailed
from wherry.settings import Settings


class Watch:
    """Who follows a build, and how."""

    def __init__(self, line: Line, no_cache: bool, cancelled: Callable[[], bool]) -> None:
        self.line, self.no_cache, self.cancelled = line, no_cache, cancelled


class Runner:
    """One platform's builds. Safe to share between threads."""

    def __init__(self, settings: Settings, engine: BuildKit) -> None:
        self._settings, self._engine, self._limits = settings, engine, limits_of(settings)

    def run(self, wish: Solve, progress: Progress, watch: Watch, explain: Callable[[str], Exception]) -> str:
        """The id of the image that `wish` makes. Raises what `explain` makes of the builder's message, DeployFailed for all else."""
        guard = Guard(self._limits, disk_of(self._settings, self._engine.root()))
        try:
            return self._engine.solve(
                wish, progress.see, progress.tick, lambda: guard.look() or watch.cancelled(), self._settings.build_timeout
            )
        except SolveStopped as stopped:
            raise guard.refusal(progress.last_lines()) or self._stopped(stopped) from stopped
        except SolveFailed as failed:
            lines = progress.last_lines()
            raise guard.refusal(lines) or guard.named(str(failed), lines) or explain(str(failed)) from failed

    def user(self, server: str) -> str:
        """Who we are at a registry; empty for nobody."""
        login = logins.of(self._settings, server)
        return login.user if login else ""

    def _stopped(self, stopped: SolveStopped) -> DeployFailed:
        if stopped.timed_out:
            return refuse(
                f"the build took longer than {self._settings.build_timeout} s",
                "Make it shorter, or raise WHERRY_BUILD_TIMEOUT.",
                code="build_timeout",
            )
        return refuse("the build was cancelled", code="build_cancelled")
