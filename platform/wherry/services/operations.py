"""What a person can do with operations: look, follow, cancel."""

from __future__ import annotations

from collections.abc import Iterator

from wherry import clock
from wherry.access.require import require
from wherry.errors import Conflict
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.services.platform import Platform
from wherry.store import events, operations


def get(platform: Platform, actor: Actor, operation_id: int) -> Operation:
    """Raises NotFound."""
    require(actor, "read", "look at operations")
    with platform.database.read() as connection:
        return operations.get(connection, operation_id)


def recent(platform: Platform, actor: Actor, app: str | None = None) -> list[Operation]:
    require(actor, "read", "look at operations")
    with platform.database.read() as connection:
        return operations.recent(connection, app)


def unfinished(platform: Platform, actor: Actor, app: str) -> list[Operation]:
    """Those of an app that are queued or running, the newest first."""
    require(actor, "read", "look at operations")
    with platform.database.read() as connection:
        return operations.open_of_app(connection, app)[::-1]


def log(platform: Platform, actor: Actor, operation_id: int, offset: int = 0) -> tuple[list[str], int]:
    """The whole lines from byte `offset` on, and the offset after them. Raises NotFound."""
    get(platform, actor, operation_id)
    return platform.operation_logs.read(operation_id, offset)


def follow(platform: Platform, actor: Actor, operation_id: int, offset: int = 0) -> Iterator[str | None]:
    """The operation's lines until it is over; None about once a second in silence."""
    get(platform, actor, operation_id)
    return platform.operation_logs.follow(operation_id, _End(platform, actor, operation_id), offset)


class _End:
    """Whether an operation is over. Asked fifty times a second, it reads the row only when something was written meanwhile."""

    def __init__(self, platform: Platform, actor: Actor, operation_id: int) -> None:
        self._platform, self._actor, self._id = platform, actor, operation_id
        self._seen: tuple[int, int] | None = None

    def __call__(self) -> bool:
        changes = self._platform.database.changes()
        if changes == self._seen:
            return False
        self._seen = changes
        return get(self._platform, self._actor, self._id).done


def cancel(platform: Platform, actor: Actor, operation_id: int) -> Operation:
    """Asks for an end: a queued operation ends now, a running one at its next safe point."""
    operation = get(platform, actor, operation_id)
    require(actor, "deploy", f"cancel operation {operation_id}")
    if operation.done:
        ended = "was cancelled" if operation.state == "cancelled" else f"has {operation.state}"
        raise Conflict(f"operation {operation_id} {ended} already", code="operation_over")
    with platform.database.write() as connection:
        now = operations.get(connection, operation_id)
        if now.state == "queued":
            operations.finish(connection, now, "cancelled", clock.now())
        else:
            operations.progress(connection, now, cancel=actor.name)
        events.add(connection, actor, "operation.cancelled", now.app, clock.now(), operation=operation_id)
    platform.wake()
    return get(platform, actor, operation_id)
