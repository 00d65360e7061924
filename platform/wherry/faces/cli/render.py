"""How answers look to a person: aligned columns without lines, relative times, sizes, nothing that moves the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

RED, GREEN, YELLOW, GREY, BOLD = "31", "32", "33", "90", "1"
COLOUR_OF = {
    "running": GREEN,
    "live": GREEN,
    "succeeded": GREEN,
    "crashed": RED,
    "failed": RED,
    "starting": YELLOW,
    "stopping": YELLOW,
    "queued": YELLOW,
    "cancelled": GREY,
}


def printable(text: str) -> str:
    """`text` with control bytes made visible as `ascii()` shows them; tabs stay."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character == "\t" else ascii(character)[1:-1] for character in text)


def quoted(text: str) -> str:
    """A person's word inside a message: in double quotes, visible, not longer than a line."""
    shown = ascii(text[:60])[1:-1].replace('"', '\\"').replace("\\'", "'")
    return f'"{shown}"' if len(text) <= 60 else f'"{shown}…"'


def table(rows: Sequence[Sequence[str]], header: Sequence[str] = (), width: int | None = None, colour: bool = False) -> str:
    """Columns two blanks apart. With `width` a line that does not fit ends in "…"; without it every line is whole."""
    cells = [[printable(cell) for cell in row] for row in ([list(header)] if header else []) + [list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells if column < len(row)) for column in range(max((len(row) for row in cells), default=0))]
    lines = ["  ".join(cell.ljust(widths[column]) for column, cell in enumerate(row)).rstrip() for row in cells]
    return "\n".join(_coloured(fitted(line, width), row, colour) for line, row in zip(lines, cells, strict=True))


def fitted(line: str, width: int | None) -> str:
    return line if width is None or len(line) <= width else line[: width - 1] + "…"


def _coloured(line: str, row: Sequence[str], colour: bool) -> str:
    """Colours the one word of the row that tells a state."""
    state = next((cell for cell in row if cell in COLOUR_OF), None)
    if not colour or state is None or state not in line:
        return line
    before, found, after = line.rpartition(state) if row[-1] == state else line.partition(state)
    return before + paint(found, COLOUR_OF[state], colour) + after


def paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def facts(pairs: Sequence[tuple[str, str]], width: int | None = None) -> str:
    """One `name  value` per line; empty values are left out."""
    return table([pair for pair in pairs if pair[1]], width=width)


def elapsed(since: str) -> str:
    """How long ago, in one unit: `8 s`, `2 min`, `3 h`, `5 days`. `since` is RFC 3339."""
    seconds = _seconds_since(since)
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds // 86400)} days"


def ago(at: str | None) -> str:
    """`8 s ago`, `2 min ago`, `yesterday`, `5 days ago`; from a month on the day itself."""
    if not at:
        return "never"
    seconds = _seconds_since(at)
    if 24 * 3600 <= seconds < 48 * 3600:
        return "yesterday"
    return f"{elapsed(at)} ago" if seconds < 30 * 86400 else at[:10]


def took(start: str, end: str) -> str:
    """The time between two moments: `0.4 s`, `12 s`, `3 min`."""
    seconds = max(0.0, _seconds_since(start) - _seconds_since(end))
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def left(at: str) -> str:
    """The time until a moment to come: `43 s`, `3 min`, `5 h`."""
    seconds = max(0.0, -_seconds_since(at, at_least=None))
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def until(at: str | None) -> str:
    """`in 5 days`, `in 43 s` for a moment to come, `expired` for one that has been, `never` without one."""
    if not at:
        return "never"
    seconds = -_seconds_since(at, at_least=None)
    if seconds <= 0:
        return "expired"
    if seconds < 2 * 3600:
        return f"in {left(at)}"
    return f"in {seconds / 86400:.0f} days" if seconds >= 2 * 86400 else f"in {seconds / 3600:.0f} h"


def seconds_until(at: str) -> float:
    return -_seconds_since(at, at_least=None)


def _seconds_since(at: str, at_least: float | None = 0.0) -> float:
    from datetime import UTC, datetime

    seconds = (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()
    return seconds if at_least is None else max(at_least, seconds)


def megabytes(count: int | None) -> str:
    """Bytes as whole MB without the unit, or GB with it; "-" when unknown."""
    if count is None:
        return "-"
    return f"{count / 2**20:.0f}"


def size(count: int | None) -> str:
    if count is None:
        return "-"
    return f"{count / 2**20:.0f} MB" if count < 2**30 else f"{count / 2**30:.1f} GB"


def disk(count: int | None) -> str:
    """What files take: `12 KB`, `84 MB`, `1.2 GB`; "-" when unknown."""
    return f"{count / 1024:.0f} KB" if count is not None and count < 2**20 else size(count)


def counted(number: int, noun: str) -> str:
    """`1 app`, `3 apps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def as_json(document: Any) -> str:
    import json

    text = json.dumps(document, indent=2, ensure_ascii=False)
    return "\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n"))


def _escaped(line: str) -> str:
    """JSON's own escape for what a terminal would obey: C1 controls, direction marks, lone surrogates."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in line)
