"""The outside that the reconciler moves, in one bundle: engine, proxy, eyes, database, logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from wherry.building.builder import Builder
from wherry.reconciler.memory import Memory
from wherry.routing.proxy import Proxy
from wherry.running.boot import Look
from wherry.running.engine import Engine, Observed
from wherry.settings import Settings
from wherry.store.database import Database
from wherry.store.operation_logs import OperationLogs


class Collector(Protocol):
    """Where the output of instances goes."""

    def add(self, container: str, app: str, process: str) -> None:
        """Follows a container's output from where it was left, or from its beginning. Idempotent."""

    def finish(self, container: str, timeout: float) -> bool:
        """Waits until everything a dead container wrote was collected, at most `timeout` seconds."""

    def discard(self, container: str) -> None:
        """Forgets a container that is gone."""

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Outside:
    """`platform_line` writes a line of the platform's own into an app's log: app, instance, text; `move_log`
    gives the log of an app to another name, `forget_log` says that nobody writes under the old one any more."""

    settings: Settings
    database: Database
    engine: Engine
    proxy: Proxy
    builder: Builder
    look: Look
    collector: Collector
    platform_line: Callable[[str, str, str], None]
    memory: Memory = field(default_factory=Memory)
    move_log: Callable[[str, str], None] = lambda old, new: None
    forget_log: Callable[[str], None] = lambda old: None

    @property
    def operation_logs(self) -> OperationLogs:
        return OperationLogs(self.settings.operation_logs)

    def known(self, seen: Observed) -> bool:
        return self.memory.is_ready(seen.id)
