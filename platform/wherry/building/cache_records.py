"""How many records the engine's build cache may have: each build leaves some, of a few hundred bytes most of them.

No number of bytes limits those. They lie in databases of the engine's that every later step reads and writes: with some thousands of
records, and 0.8 GB of databases, a build that only failed took the engine 160 ms of processor time where it
took 110 with fresh ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

MOST = 3000


def too_old(records: Iterable[Mapping[str, Any]], now: datetime, most: int = MOST) -> float | None:
    """Seconds without use from which on records have to go, so that at most `most` stay: those that were used last. None when there
    are not more. `records` are as Docker lists them; one that nothing has used since it was made counts from then, and one that an image
    shares does not count: it stays as long as the image."""
    ages = sorted((now - _used(record)).total_seconds() for record in records if not record.get("Shared"))
    return max(1.0, ages[most]) if len(ages) > most else None


def _used(record: Mapping[str, Any]) -> datetime:
    """Docker writes nanoseconds, of which Python reads six digits."""
    second, _, fraction = str(record.get("LastUsedAt") or record["CreatedAt"]).rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{second}.{fraction[:6]:0<6}").replace(tzinfo=UTC)
