"""How people name a moment: how long ago (`10m`, `2h`, `3d`), a day, or a time in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from wherry.errors import InvalidInput

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
FORM = r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(\.[0-9]{1,6})?)?)?(Z|[+-][0-9]{2}:[0-9]{2})?"


def parse_moment(text: str, field: str, now: datetime) -> str:
    """The moment as RFC 3339 in UTC with microseconds. Raises InvalidInput with the allowed forms."""
    if ago := re.fullmatch(r"([0-9]{1,6})([smhdw])", text):
        return _written(now - timedelta(seconds=int(ago[1]) * UNITS[ago[2]]))
    try:
        if not re.fullmatch(FORM, text):
            raise ValueError
        moment = datetime.fromisoformat(text)
        return _written(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{field} {text[:40]!a}: give how long ago, e.g. 10m, 2h or 3d, or a time in UTC, e.g. 2026-11-21T07:43", field=field
        ) from error


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
