"""How many lines one app's log has ever held before each of its segments, so that a reader who fell behind can say how many it missed.

The numbers are a small file beside the segments, written whole at each rotation. It is an aid: a log without it, or with one that
does not fit, is read as ever, and only the number of missed lines is not known.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

NAME = "counts.json"
KEPT = 64
"""Segments that were made room for whose numbers stay: readers who come back ask for those of the segment that they left."""


def read(folder: Path) -> dict[int, int]:
    """By segment number, the lines written before it, as far as they are known: before the first there were none."""
    try:
        found = json.loads((folder / NAME).read_text("ascii"))
        return {1: 0, **{int(number): int(lines) for number, lines in found.items()}}
    except (OSError, ValueError, TypeError, AttributeError):
        return {1: 0}


def note(folder: Path, number: int, lines: int, oldest: int, mode: int) -> None:
    """Notes a new segment; `oldest` is the first that is still there. A full disk is fine."""
    counts = {each: known for each, known in read(folder).items() if oldest - KEPT <= each < number}
    counts[number] = lines
    fresh = folder / (NAME + ".tmp")
    with suppress(OSError):
        fresh.write_text(json.dumps(counts), "ascii")
        fresh.chmod(mode)
        fresh.replace(folder / NAME)


def missed(folder: Path, entered: int, passed: int | None) -> int | None:
    """How many lines were rotated away before a reader, who had `passed` so many of all, came to segment `entered`."""
    before = read(folder).get(entered)
    if before is None or passed is None or before < passed:
        return None
    return before - passed
