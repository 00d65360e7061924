"""Slows an instance that floods its log, so that it pays for its lines itself: pure but for the cap that it sets.

A line costs most after it was printed: Docker copies it, writes it and reads it again for us, and none of that is the
instance's own share of the processor. What can be held back is the instance. It gets as much of the processor as makes for the
lines that it may print, and has its whole share back once it prints less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from wherry.running.processor_cap import cores

SECOND = 10**9
BURST = 1.0
"""Seconds' worth of lines that may come at once: a long error, a start that tells all it does."""
FIRST = 0.03
"""Of a core, until it is seen how many lines that makes: of a loop that only prints, some 5,000 a second."""
LEAST, WHOLE = 0.005, 1.0
AIM, NEARLY = 0.9, 0.7
"""Of the lines that it may print: what the cap aims at, and the least that is left as it is."""
ANY = 10**9
"""Lines a second, where any number is allowed now and was not before."""
MOST_CHANGE = (0.1, 2.0)
LOOK_EVERY = 1.0
"""Seconds between two looks at whoever is slowed."""
SILENT = 2.5
"""Seconds without a line after which there was none to read; a collector that fell behind rests up to two."""
SELDOM = 60.0
"""Seconds between two lines that tell of the same instance."""


class Cap(Protocol):
    """See `processor_cap.ProcessorCap`."""

    def now(self) -> str: ...

    def set(self, cores: float) -> bool: ...

    def put_back(self, before: str) -> bool: ...


@dataclass
class LogBrake:
    """One instance's. `most` is lines a second, where a long line is worth several; `before` the cap that it has when nobody slows it,
    empty while nobody does. `every` is the seconds between two looks at it, `wall` ns since the epoch, `ticks` seconds that only grow."""

    cap: Cap
    most: int
    before: str = ""
    share: float = FIRST
    every: float = LOOK_EVERY
    wall: Callable[[], int] = time.time_ns
    ticks: Callable[[], float] = time.monotonic
    _level: float = 0.0
    _last: int = 0
    _heard: float = -SILENT
    _lines: int = 0
    _since: int = 0
    _told_at: float = -SELDOM
    _told: bool = False

    def took(self, lines: int, timestamp: int) -> str:
        """Counts lines, or what long ones are worth, that were printed until `timestamp` (ns since the epoch). Returns what the log has to
        be told, mostly nothing."""
        self._level = max(0.0, self._level - self.most * max(0, timestamp - self._last) / SECOND) + lines
        self._last, self._heard = timestamp, self.ticks()
        self._lines += lines if timestamp > self._since else 0
        flood = not self.before and self._level > self.most * BURST
        return self._begin() if flood else ""

    def heard(self) -> None:
        """Something came that was known already: what is new may lie behind it."""
        self._heard = self.ticks()

    def look(self, sure: bool = True) -> str:
        """Once a second while it is slowed: is the cap right? `sure` says that a new line would have been seen."""
        now = self._known_until() if sure else self._last
        seconds = (now - self._since) / SECOND
        if not self.before or seconds < self.every:
            return ""
        rate, self._lines, self._since = self._lines / seconds, 0, now
        if not self.most * NEARLY <= rate <= self.most:
            least, most = MOST_CHANGE
            self.share *= min(most, max(least, self.most * AIM / max(rate, 1.0)))
        self.share = max(LEAST, self.share)
        if self.share >= min(WHOLE, cores(self.before)):
            return self._end()
        self.cap.set(self.share)
        return ""

    def _known_until(self) -> int:
        """Lines that lie unread say nothing yet: until then what was printed is known."""
        now = self.wall()
        behind = self.ticks() - self._heard < SILENT and now - self._last > SECOND / 2
        return self._last if behind else now

    def _begin(self) -> str:
        self.before = self.cap.now()
        self.share = min(FIRST, cores(self.before)) if self.before else FIRST
        self._lines, self._since = 0, self.wall()
        if not self.before or not self.cap.set(self.share):
            self.before, self._level = "", 0.0
            return ""
        return self._tell(
            f"Slowed down: it prints more than {self.most} lines or {self.most / 1000:g} MB a second (WHERRY_LOG_RATE), so it gets less of"
            " the processor until it prints less"
        )

    def _end(self) -> str:
        self.cap.put_back(self.before)
        self.before, self._level = "", 0.0
        told, self._told = self._told, False
        return "No longer slowed down: it prints less" if told else ""

    def _tell(self, text: str) -> str:
        if self.ticks() - self._told_at < SELDOM:
            return ""
        self._told, self._told_at = True, self.ticks()
        return text


class LogBrakes:
    """Those of all instances, by container. `most` is lines a second, 0 for any number; `every` as for one."""

    def __init__(self, most: int, cap: Callable[[str], Cap], every: float = LOOK_EVERY) -> None:
        self._most, self._cap, self._every = most, cap, every
        self._all: dict[str, LogBrake] = {}
        self._due = 0.0

    def took(self, container: str, lines: int, timestamp: int) -> str:
        """See `LogBrake.took`."""
        if not lines and container in self._all:
            self._all[container].heard()
        if not lines or not self._most:
            return ""
        if container not in self._all:
            self._all[container] = LogBrake(self._cap(container), self._most, every=self._every)
        return self._all[container].took(lines, timestamp)

    def look(self, sure: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
        """Looks at whoever is slowed, once a second at most. Yields what the log of a container has to be told. `sure` tells of a
        container whether a new line of it would have been seen."""
        if self.wait() > 0.0:
            return
        self._due = time.monotonic() + self._every
        for container, brake in self._all.items():
            if brake.before and (text := brake.look(sure(container))):
                yield container, text

    def wait(self) -> float:
        """Seconds until `look` has something to do."""
        slowed = any(brake.before for brake in self._all.values())
        return max(0.0, self._due - time.monotonic()) if slowed else float("inf")

    def before(self, container: str) -> str:
        """The cap that a slowed container had, for whoever goes on after us; empty for one that nobody slows."""
        return self._all[container].before if container in self._all else ""

    def resume(self, container: str, before: str) -> None:
        """Goes on with a container that an earlier one of us had slowed."""
        self._all[container] = LogBrake(self._cap(container), self._most or ANY, before, every=self._every)

    def forget(self, container: str) -> None:
        self._all.pop(container, None)
