"""Tells frames that a follower is sent twice from those that it is sent for the first time: pure.

When its files rotate, Docker opens the newest one twice, and sends again what it had sent of it by then (20.10 at every rotation; once
in ten that is one line). Within one output time only goes forward, so a frame that goes back begins such a repetition, and the
frame that was the latest ends it. What goes back and does not end so is a clock that was set back: a snapshot, which is read in the files'
order, tells which of its steps are that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

LONGEST = 1.0
"""Seconds that a repetition may take."""
MOST_STEPS = 1_000
"""That are remembered: a clock is not set back more often within what the engine keeps."""

Step = tuple[int, str, str]


@dataclass
class Output:
    """What came last of one output: the latest timestamp and how many frames carry it, which are several for the pieces of a long line
    (`long`); whether the last one was a whole line or a line's end, and what it said. `left` is how many of them are to come again."""

    latest: str = ""
    frames: int = 0
    long: bool = False
    ended: bool = True
    said: int = 0
    left: int = 0

    def take(self, timestamp: str, text: bytes) -> None:
        same = timestamp == self.latest
        self.ended = text.endswith(b"\n")
        self.frames = self.frames + 1 if same else 1
        self.long = (same and self.long) or not self.ended
        self.latest, self.said = timestamp, hash(text)

    def is_said_again(self, timestamp: str, text: bytes) -> bool:
        """Another line of the very same moment can only be a repetition that begins where it ends."""
        return timestamp == self.latest and self.ended and (self.long or hash(text) == self.said)


class Repeats:
    """Of one connection. `ticks` is seconds that only grow."""

    def __init__(self, known: set[Step], ticks: Callable[[], float] = time.monotonic) -> None:
        self._known = known
        self._ticks = ticks
        self._outputs: dict[int, Output] = {}
        self._behind: set[int] = set()
        self._began = 0.0
        self._strange = False

    def note(self, output: int, timestamp: str) -> None:
        """A frame of a snapshot: where time goes back there, it really did."""
        state = self._outputs.setdefault(output, Output())
        if timestamp < state.latest and len(self._known) < MOST_STEPS:
            self._known.add((output, state.latest, timestamp))
        state.latest = timestamp

    def again(self, output: int, timestamp: str, text: bytes) -> bool:
        """Whether this frame of a follower was sent before, or nobody can tell."""
        state = self._outputs.setdefault(output, Output())
        if output in self._behind:
            return self._on_the_way(output, state, timestamp)
        if state.is_said_again(timestamp, text):
            return True
        if timestamp < state.latest and (output, state.latest, timestamp) not in self._known:
            self._began = self._began if self._behind else self._ticks()
            self._behind.add(output)
            state.left = state.frames
            return True
        state.take(timestamp, text)
        return False

    @property
    def open(self) -> bool:
        """A repetition has begun and not ended."""
        return bool(self._behind)

    @property
    def fails(self) -> bool:
        """What began is no repetition."""
        return self._strange or (self.open and self._ticks() - self._began > LONGEST)

    def _on_the_way(self, output: int, state: Output, timestamp: str) -> bool:
        if timestamp > state.latest:
            self._strange = True
        elif timestamp == state.latest:
            state.left -= 1
            if not state.left:
                self._behind.discard(output)
        return True
