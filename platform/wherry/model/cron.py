"""A command that runs by the clock: which schedules are understood."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wherry.errors import InvalidInput

WORDS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NAMES = {
    "month": {name: number for number, name in enumerate(MONTHS, 1)},
    "day of the week": {name: number for number, name in enumerate(DAYS)},
}
EXAMPLE = 'five fields, e.g. "0 3 * * *" for every day at 3:00, or a word such as "@daily"'


@dataclass(frozen=True)
class CronTask:
    """`schedule` is what `check_schedule` accepts, in UTC; `command` is read like a line of the Procfile."""

    schedule: str
    command: str


def check_schedule(text: str) -> str:
    """Returns `text` with single spaces. Raises InvalidInput for what is neither five cron fields (crontab(5): lists,
    ranges, steps, names) nor one of WORDS."""
    fields = text.split()
    if len(fields) == 1 and fields[0].lower() in WORDS:
        return fields[0].lower()
    if len(fields) != len(FIELDS):
        raise InvalidInput(f'schedule "{ascii(text[:40])[1:-1]}": give {EXAMPLE}', field="schedule")
    for field, (name, low, high) in zip(fields, FIELDS, strict=True):
        for part in field.lower().split(","):
            if not _fits(part, NAMES.get(name, {}), low, high):
                raise InvalidInput(
                    f'schedule "{ascii(text[:40])[1:-1]}": the {name} is "{ascii(part[:20])[1:-1]}": give {low}-{high} or *',
                    field="schedule",
                )
    return " ".join(fields)


def _fits(part: str, names: dict[str, int], low: int, high: int) -> bool:
    match = re.fullmatch(r"(\*|[0-9a-z]{1,3}(?:-([0-9a-z]{1,3}))?)(?:/([0-9]{1,2}))?", part)
    if not match or (match[3] is not None and int(match[3]) == 0):
        return False
    ends = [] if match[1] == "*" else match[1].split("-")
    numbers = [names.get(end, int(end) if end.isdigit() else -1) for end in ends]
    return all(low <= number <= high for number in numbers) and numbers == sorted(numbers)
