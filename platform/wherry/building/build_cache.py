"""Docker's build cache: how large it is, and what of it is forgotten, by bytes and by the number of records.

Each build leaves some records, of a few hundred bytes most of them, which no number of bytes limits. They lie in databases of the
engine's that every later step reads and writes: with some thousands of records, and 0.8 GB of databases, a build that only failed took
the engine 160 ms of processor time where it took 110 with fresh ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from wherry.building.buildkit import BuildKit

MOST = 3000
"""Records."""
ONLY_CACHE = (1, 42)
"""The version of the API from which on the build cache can be asked for alone."""
ASK_EVERY = 3600.0


class BuildCache:
    """Of one engine, whoever filled it. Every method raises Unavailable when the engine does not answer."""

    def __init__(self, engine: BuildKit) -> None:
        self._engine = engine
        self._size, self._ask_again = 0, 0.0

    def size(self) -> int:
        """Bytes. Engines before 23 walk through all volumes to say that, so they are asked once an hour."""
        if self._engine.api_version() >= ONLY_CACHE or time.monotonic() > self._ask_again:
            self._ask_again = time.monotonic() + ASK_EVERY
            self._size = sum(int(record.get("Size") or 0) for record in self.records() if not record.get("Shared"))
        return self._size

    def records(self) -> list[dict[str, Any]]:
        """As Docker lists them."""
        return self._engine.ask("GET", "/system/df", {"type": "build-cache"}, 300).get("BuildCache") or []

    def shrink(self, keep: int, most: int = MOST) -> int:
        """Forgets what was not used for longest until `keep` bytes and `most` records are left; returns the bytes that came free."""
        freed = self._forget({"keep-storage": str(keep)})
        age = too_old(self.records(), datetime.now(UTC), most)
        return freed + self._forget({"filters": json.dumps({"until": [f"{int(age)}s"]})}) if age else freed

    def _forget(self, which: dict[str, str]) -> int:
        return int(self._engine.ask("POST", "/build/prune", {"all": "1", **which}, 600).get("SpaceReclaimed") or 0)


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
