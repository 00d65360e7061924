"""Where in the output of a container we are, so exactly that a restart neither loses nor doubles a line: pure.

A position is an anchor, a moment that lies a little back, and the number of frames received since: asked again for all
since the anchor, the engine sends the same frames in the same order, so passing over that number goes on exactly where
we were. The last timestamp alone would not do: stdout and stderr overtake one another.
"""

from __future__ import annotations

import calendar
import time
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any, NamedTuple

ANCHOR_LAG = 250_000_000
"""Nanoseconds by which the anchor stays behind: more than two outputs of one container overtake each other by."""

BACKWARDS = 5 * 10**9
"""Nanoseconds by which a frame must be older than another before it to say that the machine's clock was set back."""

UNKNOWN = "unknown"
NO_MOMENT = ("", UNKNOWN)

TIMESTAMP_SIZE = len("2026-11-21T07:43:05.123456789Z")


@dataclass
class Position:
    """`anchor` is a timestamp (empty: the container's beginning), `seen` the number of frames received that are later,
    `first` the first of them, `final` the one received last, `last` the latest timestamp of all. The `next_` ones become
    the anchor in their turn. `total` and `origin` are `seen` and `first` as of the container's beginning.
    `highest` is the latest of all, also where a clock that was set back made `last` an earlier one."""

    anchor: str = ""
    seen: int = 0
    first: str = ""
    final: str = ""
    last: str = ""
    next_anchor: str = ""
    next_seen: int = 0
    next_first: str = ""
    total: int = 0
    origin: str = ""
    highest: str = ""

    def take(self, timestamp: str) -> None:
        """Counts one frame as received."""
        self.total += 1
        self.origin = self.origin or timestamp
        self.final = timestamp
        self.highest = max(self.highest, timestamp)
        if timestamp > self.anchor:
            self.seen += 1
            self.first = self.first or timestamp
        if timestamp > self.next_anchor:
            self.next_seen += 1
            self.next_first = self.next_first or timestamp
        if timestamp > self.last:
            self.last = timestamp
            if self.next_first not in NO_MOMENT and nanoseconds(timestamp) - nanoseconds(self.next_first) > ANCHOR_LAG:
                self._move_anchor()
        elif nanoseconds(self.last) - nanoseconds(timestamp) > BACKWARDS:
            self.count_from_the_beginning()
            self.last = timestamp

    def count_from_the_beginning(self) -> None:
        """No moment divides old frames from new ones after the clock was set back; only their number does."""
        self.anchor = self.next_anchor = ""
        self.seen = self.next_seen = self.total
        self.first = self.next_first = self.origin

    def rebase(self) -> None:
        """Forgets the count: what is later than the last frame is new."""
        self.total, self.origin = 1, UNKNOWN
        self.anchor = self.next_anchor = self.last
        self.seen = self.next_seen = 0
        self.first = self.next_first = ""

    def reckoned_until(self, timestamp: str) -> int | None:
        """How many frames are to be expected between the last one and `timestamp`, when they come as fast as those before."""
        begin = self.anchor or self.first
        span = nanoseconds(self.last) - nanoseconds(begin) if begin not in NO_MOMENT and self.last else 0
        return round(self.seen * (nanoseconds(timestamp) - nanoseconds(self.last)) / span) - 1 if span > 0 else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Position:
        return cls(**{each.name: facts[each.name] for each in fields(cls) if each.name != "highest" or each.name in facts})

    def _move_anchor(self) -> None:
        self.anchor, self.seen, self.first = self.next_anchor, self.next_seen, self.next_first
        self.next_anchor, self.next_seen, self.next_first = self.last, 0, ""


class Gap(NamedTuple):
    """Frames are missing: `frames` of them, None where nobody knows. `exact` says that they were counted, not reckoned from how fast the
    frames before them came."""

    frames: int | None
    exact: bool = False


class Resumption:
    """Tells known frames from new ones in a stream that was asked for from a position's anchor. `doubtful` says that the
    position was reached by a follower that may have been passed over by the engine's rotation."""

    def __init__(self, position: Position, doubtful: bool = False) -> None:
        self._position = position
        self._left = position.seen
        self._first = position.first
        self._known_until = ""
        self._doubtful = doubtful
        self._gap: Gap | None = None
        self._lossy = False
        self._done = False
        self._old = 0
        self._begin = ""

    def is_new(self, timestamp: str) -> bool:
        if self._done:
            return True
        if timestamp <= self._position.anchor:
            return False
        self._old += 1
        if self._first:
            self._check_first(timestamp)
        if not self._known_until and self._left > 0 and timestamp > (self._position.highest or timestamp):
            # all pieces of a long line carry one timestamp, so that its first piece may be gone and the next look like it
            self._by_time(gap=self._doubtful and self._position.first != self._position.last)
        if self._known_until:
            return self._is_later(timestamp)
        self._left -= 1
        if self._left == 0 and timestamp != self._position.final:
            self._by_time(gap=True)
        self._done = self._left < 0
        return self._done

    def take_gap(self) -> Gap | None:
        """What is missing here, told once: the engine rotated it away before it could be read."""
        gap, self._gap = self._gap, None
        return gap

    def _check_first(self, timestamp: str) -> None:
        """When the first frame after the anchor is not the one that it was, then frames were rotated away."""
        if timestamp != self._first:
            self._begin = timestamp
            self._by_time(gap=self._doubtful or timestamp > self._position.last)
        self._first = ""

    def _by_time(self, gap: bool) -> None:
        """The count means nothing: the frames are not the same any more, or never were the ones next to each other."""
        self._known_until = self._position.last
        self._lossy = gap

    def _is_later(self, timestamp: str) -> bool:
        if timestamp <= self._known_until:
            return False
        self._done = True
        self._gap = self._missing() if self._lossy else None
        self._position.rebase()
        return True

    def _missing(self) -> Gap:
        """From an answer that begins where ours did, the count; from a later one, how many would fit in between."""
        if self._begin:
            return Gap(self._position.reckoned_until(self._begin))
        more = self._old - 1 - self._position.seen
        return Gap(more, exact=True) if more > 0 else Gap(None)


def since_parameter(timestamp: str) -> str:
    """`2026-11-21T07:43:05.123456789Z` as Docker's API takes it: `1795246985.123456789`."""
    return f"{nanoseconds(timestamp) // 10**9}.{timestamp[20:29]}"


def nanoseconds(timestamp: str) -> int:
    """Nanoseconds since the epoch. Raises ValueError for anything but Docker's fixed form."""
    return _seconds(timestamp[:19]) * 10**9 + int(timestamp[20:29])


@lru_cache(maxsize=256)
def _seconds(text: str) -> int:
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
