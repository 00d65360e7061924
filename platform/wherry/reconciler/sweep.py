"""Clears what nobody owns any more: archives of pushes that never became operations, images that no release needs, old events.

Touches only what the platform made, and nothing that a release can be rolled back to.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta

from wherry import clock
from wherry.reconciler import disk
from wherry.reconciler.outside import Outside
from wherry.reconciler.retention import expire_releases
from wherry.store import events, operations, releases

OLD = 3600.0
"""Seconds after which an archive without an operation was left by a hook that died."""
EVENTS_LAST = timedelta(days=365)
EVENTS_AT_LEAST = 10_000
"""The newest events that stay whatever their age: a clock that jumps must not empty the audit."""

BUILD_LOGS, OTHER_LOGS = 50, 50
"""Of each app, how many logs of builds and of other operations are kept, and those of the releases that are kept beside them."""


def sweep(outside: Outside, build_logs: int = BUILD_LOGS) -> None:
    """Blocks while the engine removes images; meant for a thread of its own."""
    _archives(outside)
    _logs(outside, build_logs)
    _events(outside)
    expire_releases(outside)
    outside.builder.prune(lambda: disk.kept(outside))


def _events(outside: Outside) -> None:
    with outside.database.write() as connection:
        events.forget_old(connection, clock.text(clock.parse(clock.now()) - EVENTS_LAST), EVENTS_AT_LEAST)


def _archives(outside: Outside) -> None:
    with outside.database.read() as connection:
        wanted = {name for operation in operations.unfinished(connection) for name in operation.spooled}
    for path in outside.settings.spool.iterdir():
        with suppress(FileNotFoundError):  # an operation that ended just now has taken its own away
            if path.name not in wanted and path.stat().st_mtime < time.time() - OLD:
                path.unlink()


def _logs(outside: Outside, build_logs: int) -> None:
    with outside.database.read() as connection:
        keep = operations.with_log(connection, build_logs, OTHER_LOGS) | releases.operations(connection)
    outside.operation_logs.remove_all_but(keep)
