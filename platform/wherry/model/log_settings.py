"""What an app's log takes in and how much of it is kept; each app may differ from the platform's settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from wherry.errors import InvalidInput

MB = 1024 * 1024
SMALLEST, LARGEST = 1, 1024
"""MB on disk that an app's log may be given."""


@dataclass(frozen=True)
class LogSettings:
    """`router` says whether requests are written down, `query` whether with their query strings, which may hold secrets.
    `max_size` is MB on disk, None for the platform's setting."""

    router: bool = True
    query: bool = False
    max_size: int | None = None


def to_json(settings: LogSettings) -> dict[str, Any]:
    return asdict(settings)


def from_json(document: dict[str, Any]) -> LogSettings:
    return LogSettings(**{name: document[name] for name in LogSettings.__dataclass_fields__ if name in document})


def check_size(megabytes: int) -> int:
    """Raises InvalidInput outside 1 MB to 1 GB."""
    if not SMALLEST <= megabytes <= LARGEST:
        raise InvalidInput(f"max-size {megabytes}: give MB from {SMALLEST} to {LARGEST}, e.g. 16", field="max_size")
    return megabytes
