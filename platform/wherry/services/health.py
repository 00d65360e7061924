"""Can the platform answer at all? For health checks, which need no actor and learn nothing else."""

from __future__ import annotations

from wherry.services.platform import Platform
from wherry.store import apps


def check(platform: Platform) -> None:
    """Raises Unavailable when the database can not be read."""
    with platform.database.read() as connection:
        apps.count(connection)
