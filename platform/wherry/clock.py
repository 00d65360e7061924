"""Time in two kinds: wall time for people (RFC 3339, UTC), monotonic time for waits."""

from __future__ import annotations

import time
from datetime import UTC, datetime

monotonic = time.monotonic
sleep = time.sleep


def now() -> str:
    """The current UTC time as RFC 3339 with microseconds, e.g. `2026-11-21T07:43:05.123456Z`; sorts as text."""
    return text(datetime.now(UTC))


def text(moment: datetime) -> str:
    """A moment in UTC, written as `now` writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """Reads what `now` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
