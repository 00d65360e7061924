"""What every service needs: the settings, the database, and a way to wake the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wherry import clock, hint
from wherry.model.lock import refusal
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.settings import Settings
from wherry.store import apps, events, operations
from wherry.store.database import Database
from wherry.store.operation_logs import OperationLogs

HARMLESS = ("plan",)
"""Kinds of operations that change nothing, so that a lock does not stop them."""


@dataclass(frozen=True)
class Platform:
    """Handed to every verb. Cheap to make; holds no connection until one is needed."""

    settings: Settings
    database: Database

    @property
    def operation_logs(self) -> OperationLogs:
        return OperationLogs(self.settings.operation_logs)

    def wish(self, actor: Actor, app: str, kind: str, payload: dict[str, Any]) -> Operation:
        """Queues an operation with its event, then wakes the engine: commit first, announce after. Raises Conflict for an
        app that is locked, unless it is only looked at."""
        with self.database.write() as connection:
            found = apps.find(connection, app)
            if found and found.lock and kind not in HARMLESS:
                raise refusal(app, found.lock)
            operation = operations.add(connection, app, kind, actor.name, payload, clock.now())
            events.add(connection, actor, f"{kind}.requested", app or None, clock.now(), operation=operation.id)
        self.wake(hint.WORK)
        return operation

    def wake(self, word: bytes = hint.LOOK) -> bool:
        """Tells the engine one of the words of `hint`. False when nobody listens."""
        return hint.give(self.settings.engine_socket, word)


def of(settings: Settings) -> Platform:
    return Platform(settings, Database(settings.database))
