"""One container's output: what is asked of the engine next, over one connection at a time, until all has been read.

    follow ──end──▶ inspect ──runs──▶ follow
       │               └──stopped──▶ snapshot ──▶ inspect ──still stopped──▶ ended
       ├──flood──▶ snapshot ──quiet──▶ follow
       └──prints much──▶ inspect ──its file can be read──▶ tail ──silent──▶ inspect

`follow` alone is not enough. Docker leaves out a last line without a newline, and when its log files rotate faster than
it can send them, it silently passes over whole files (seen with 20.10; what it sends twice is told by `log_repeats`). A snapshot
(the same request without follow) reads all files as they are at one moment, and shows by its frames whether anything is missing.
Who prints much is read from Docker's file itself (`log_tail`), which costs the machine half; its frames are those of a snapshot.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wherry.model.log_line import LogRecord, encode
from wherry.model.log_loss import COLLECTOR, lost
from wherry.running.log_position import TIMESTAMP_SIZE, Gap, Position, Resumption, nanoseconds, since_parameter
from wherry.running.log_repeats import Repeats, Step
from wherry.running.log_stream import BrokenStream, Document, Frames, Lines
from wherry.running.log_tail import Entries, Tail

READ, PORTION = 64 * 1024, 8 * 1024
"""Bytes that are taken at once of an answer, and of a file, where they are ready since the last look: some 60 lines, half a millisecond of
processor, behind which a visitor's request may have to wait."""
FLOOD = 256 * 1024
LATE = 100_000_000
BEHIND = 1024 * 1024
"""So many bytes within a second, so many nanoseconds late, and so many bytes not read yet: the follower falls behind, and is about to
be passed over by the rotation of the engine's log files, of 10 MB each. What is read in time may be any amount. To begin anew costs the
engine a look at all that it keeps, a second of a processor: who prints at a moderate speed is better caught up with."""

ROTATES = 1024 * 1024
PATIENCE, LONG_PATIENCE, OPENING = 1.0, 60.0, 6.0
"""In some versions the engine sends a follower nothing any more once its files were rotated (moby issue 37646 and others like it), also
while it looks for the place to begin. Who has printed so many bytes since a snapshot found nothing left out is likely to rotate; these
are the seconds of silence after which such a follower is doubted, one that has come less far, and one that has not been sent anything,
which has twice the time of the last snapshot in addition."""
BUSY = 50
"""Lines in the last quarter of a second that it printed: enough to rotate while a new collector looks for its place."""

LONGEST_PAUSE = 2.0
TOO_FAST = "they were written faster than they could be read"

GONE = (404, 409)
"""Absent, or dead and marked for removal: nothing will come any more."""

SLOWEST_RETRY = 5.0
SETTLED = 3.0
"""Seconds after which a follower has been sent what there was before it."""
STEADY = 10.0
"""Seconds after which a connection that ends was a good one."""

OVERHEAD = 40
"""Bytes that a line has more on its way to us: its frame's head and its moment. What came before and comes again does not count as
received: it says nothing of a rotation, and each doubt costs the engine two looks at all that it keeps."""

PER_LINE = 1000
"""Bytes from which on a line is worth another one: what a longer one costs to copy, write and read is its bytes."""

MUCH, FOR_LONG = 200, 5
"""Lines a second, and for how many seconds in a row, from which on reading the file is worth the change."""
SILENT = 5.0
"""Seconds without a line after which a file's container is looked at: it may have ended."""
BACK = 60.0
"""Seconds without a line after which following does again. To begin to follow costs the engine a look at all that it keeps."""

STORED_STAMP = len("2026-11-21T07:43:05.123456Z")


class LogSource:
    """The state of one container's collection. Belongs to the collector's thread."""

    def __init__(self, container: str, app: str, process: str) -> None:
        self.container = container
        self.app = app
        self.process = process
        self.position = Position()
        self._stored: Counter[str] = Counter()
        self._stored_until = self._stored_after = ""
        self.mode = "follow"
        self.socket: socket.socket | Tail | None = None
        self.ended = self.gone = self.read = False
        self.worth = 0
        self.leaving = False
        self.waiting: list[threading.Event] = []
        self._stopped = self._caught_up = self._doubtful = False
        self._delay = self._looked = 0.0
        self._opened = self._since = 0.0
        self._bytes = self._received = self._new = self._first_new = 0
        self._busy = self._printed = 0
        self._spoke = 0.0
        self._file, self._by_file, self._has_file = "", False, True
        self._answers = False
        self._frames_taken = self._lines_taken = 0
        self._set_back: set[Step] = set()
        self._fresh()

    def resume(self, position: Position, cursor: str, stored: list[str]) -> None:
        """Goes on at a noted position. `stored` are the lines of this process that the engine, which then died, wrote
        after it had noted the position, at `cursor`; they will come again."""
        self.position = position
        self._stored_after = cursor
        self._stored = Counter(stored)
        self._stored_until = max((line[:STORED_STAMP] for line in stored), default="")
        self._received = ROTATES + 1 if position.seen > BUSY else 0
        self.mode = "inspect"

    def restart(self) -> None:
        """The container was started again."""
        self.ended = self._stopped = self._caught_up = False
        self.mode = "follow"

    @property
    def finishing(self) -> bool:
        """Somebody waits for all that was written until now."""
        return self.leaving or bool(self.waiting)

    @property
    def follows(self) -> bool:
        """A line that is printed now is seen at once."""
        if self.mode == "tail":
            return self.socket is not None
        return self.mode == "follow" and self.socket is not None and time.monotonic() - self._opened > SETTLED

    @property
    def portion(self) -> int:
        return PORTION if self.mode == "tail" else READ

    def open(self, path: str) -> None:
        """Connects and asks for what `mode` needs. Raises OSError."""
        self._fresh()
        if self.mode == "tail":
            with self._file_at_risk():
                self.socket = Tail(self._file, self.position.anchor)
            return
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)
        self.socket = connection
        connection.connect(path)
        connection.sendall(f"GET {self._target()} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def receive(self, batch: list[LogRecord]) -> int:
        """Adds what is new to `batch` and returns how many bytes came; 0 is the end of the answer, but of a file. `worth` is how many
        lines the new ones are worth. Raises OSError and BrokenStream; what was in order before that is in the batch."""
        assert self.socket is not None
        self.worth = 0
        with self._file_at_risk():
            data = self.socket.recv(self.portion)
        now = time.monotonic()
        if now - self._since > 1.0:
            self._busy = self._busy + 1 if self._printed > MUCH * (now - self._since) else 0
            self._since, self._bytes, self._printed = now, 0, 0
        self._bytes += len(data)
        for record in self._new_records(data):
            batch.append(record)
            self._delay, self._spoke = 0.0, now
            self._printed += 1
        return len(data)

    @contextmanager
    def _file_at_risk(self) -> Iterator[None]:
        """A file that can not be read is not tried again: following goes on."""
        try:
            yield
        except OSError:
            self._has_file = self._has_file and self.mode != "tail"
            raise

    def floods(self) -> bool:
        """True when following can not be trusted any more; the next step is a snapshot then."""
        if self._repeats.fails:
            self.doubt()
            return True
        if self.mode != "follow":
            return False
        if self._busy >= FOR_LONG and self._has_file:
            self._by_file = True
            self._turn_to("inspect")
            return True
        if self._bytes < FLOOD or not self.position.final:
            return False
        late = time.time_ns() - nanoseconds(self.position.final) > LATE and self._unread() > BEHIND
        if late:
            self._turn_to("snapshot")
        return late

    def patience(self) -> float:
        """Seconds of silence after which a follower may be stuck, and a snapshot has to show whether it is; infinity for never."""
        if self.mode == "tail":
            return SILENT
        if self._repeats.open:
            return PATIENCE
        if self.mode != "follow" or self._received < READ:
            return float("inf")
        if not self._answers:
            return OPENING + 2 * self._looked
        return PATIENCE if self._received > ROTATES else LONG_PATIENCE

    def doubt(self) -> None:
        """Makes the next step a snapshot; of a silent file, one that shows whether its container runs."""
        if self.mode == "tail":
            self._delay = 0.0
            self._turn_to("inspect")
            return
        if self._repeats.open:
            self.position.count_from_the_beginning()
        self._turn_to("snapshot")
        self._doubtful = True

    def catch_up(self) -> bool:
        """Makes the next steps those of catching up. False when they are being taken already."""
        if self._stopped and self.mode != "follow":
            return False
        self._turn_to("inspect")
        return True

    def fail(self) -> float:
        """Goes back to the start after an error; returns the seconds to wait before."""
        self._turn_to("inspect")
        return self._slower()

    def after_answer(self) -> float:
        """Decides on the next step when an answer has ended; returns the seconds to wait before it. Sets `gone` or
        `ended` when there is none, and `read` when all that was written was read. Raises BrokenStream for an answer
        that is none."""
        self.read = False
        if self._frames.status in GONE:
            self.gone = self.read = True
            return 0.0
        if self._frames.status != 200:
            raise BrokenStream(f"status {self._frames.status}")
        step = {"follow": self._after_follow, "snapshot": self._after_snapshot, "inspect": self._after_inspect}
        return step[self.mode]()

    def tell(self) -> None:
        """Tells those who wait."""
        for event in self.waiting:
            event.set()
        self.waiting.clear()

    def _turn_to(self, mode: str) -> None:
        """Where much was followed, the engine may have passed over some of it; the next answer shows that."""
        self._doubtful = self._doubtful or (self.mode == "follow" and self._bytes >= READ)
        self.mode, self._caught_up = mode, False

    def _after_follow(self) -> float:
        self._turn_to("inspect")
        if time.monotonic() - self._opened > STEADY:
            self._delay = 0.0
        return 0.0

    def _after_snapshot(self) -> float:
        self._looked = time.monotonic() - self._opened
        if not self._new:
            self._received = 0
        if self._stopped or self.finishing:
            self.mode, self._caught_up = "inspect", True
            return 0.0
        self.mode = "snapshot" if self._new > FLOOD and self._unread() > BEHIND else "follow"
        return min(LONGEST_PAUSE, time.monotonic() - self._opened) if self.mode == "snapshot" else 0.0

    def _unread(self) -> float:
        """Bytes that were printed since the last line that was read, when they come as fast as those of this answer."""
        last = nanoseconds(self.position.final) if self.position.final else 0
        span = last - self._first_new
        return self._new * (time.time_ns() - last) / span if span > 0 else float("inf")

    def _after_inspect(self) -> float:
        """The end counts only when the container was stopped before the last look at its log, and still is; this also
        shows that the answer did not end because the daemon did."""
        was_stopped, self._stopped = self._stopped, not self._runs()
        self.read = self._caught_up and (was_stopped or not self._stopped)
        self._caught_up = False
        if self.read:
            self.ended = self._stopped
            self._delay = 0.0
        catch_up = self._stopped or (self.finishing and not self.read)
        self.mode = "snapshot" if catch_up else self._way_on()
        return 0.0 if catch_up or self.read else self._slower()

    def _way_on(self) -> str:
        self._has_file = self._has_file and (not self._by_file or os.access(self._file, os.R_OK))
        self._by_file = self._by_file and self._has_file and time.monotonic() - self._spoke < BACK
        self._busy = 0
        return "tail" if self._by_file else "follow"

    def _runs(self) -> bool:
        try:
            assert isinstance(self._frames, Document)
            facts = json.loads(self._frames.body)
            self._file = facts.get("LogPath") or ""
            return bool(facts["State"]["Running"])
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenStream("no description of a container") from error

    def _new_records(self, data: bytes) -> Iterator[LogRecord]:
        for output, payload in self._frames.feed(data):
            self._answers = True
            stamp, _, text = payload.partition(b" ")
            timestamp = stamp.decode("ascii", "replace")
            if len(timestamp) != TIMESTAMP_SIZE or not _is_time(timestamp):
                raise BrokenStream("a frame without a timestamp")
            if not self._came_before(output, timestamp, text):
                yield from self._records(output, timestamp, text)

    def _came_before(self, output: int, timestamp: str, text: bytes) -> bool:
        if self.mode == "follow":
            return self._repeats.again(output, timestamp, text)
        self._repeats.note(output, timestamp)
        return False

    def _records(self, output: int, timestamp: str, text: bytes) -> Iterator[LogRecord]:
        line = self._lines.line(output, text)
        if not self._resumption.is_new(timestamp):
            return
        gap = self._resumption.take_gap()
        if gap is not None:
            yield LogRecord(timestamp, "wherry", self.process, self._told(gap))
        self.position.take(timestamp)
        self._first_new = self._first_new or nanoseconds(timestamp)
        self._frames_taken += 1
        self._lines_taken += line is not None
        self._new += len(text)
        self._received += OVERHEAD + len(text)
        self.worth += 1 + len(text) // PER_LINE
        record = LogRecord(timestamp, "app", self.process, line or b"")
        if line is not None and not (self._stored and self._is_stored(record)):
            yield record

    def _told(self, gap: Gap) -> str:
        """Frames are lines, but for the pieces of long ones."""
        lines = gap.frames and round(gap.frames * self._lines_taken / max(1, self._frames_taken))
        return lost(COLLECTOR, lines if lines and lines > 0 else None, TOO_FAST, about=not gap.exact or lines != gap.frames)

    def _is_stored(self, record: LogRecord) -> bool:
        line = encode(record).decode().removesuffix("\n")
        if self._stored[line]:
            self._stored[line] -= 1
            return True
        if line[: len(self._stored_until)] > self._stored_until:
            self._stored.clear()
        return False

    def _slower(self) -> float:
        delay = self._delay
        self._delay = min(SLOWEST_RETRY, max(0.1, delay * 2))
        return delay

    def _fresh(self) -> None:
        self._frames: Frames = {"inspect": Document, "tail": Entries}.get(self.mode, Frames)()
        self._lines = Lines()
        self._resumption = Resumption(self.position, self._doubtful)
        self._doubtful = self._doubtful and self.mode == "inspect"
        self._opened = self._since = time.monotonic()
        self._bytes = self._new = self._first_new = 0
        self._answers = False
        if self.mode == "snapshot":
            self._set_back.clear()
        self._repeats = Repeats(self._set_back)

    def _target(self) -> str:
        if self.mode == "inspect":
            return f"/containers/{self.container}/json"
        since = f"&since={since_parameter(self.position.anchor)}" if self.position.anchor else ""
        follow = "&follow=1" if self.mode == "follow" else ""
        return f"/containers/{self.container}/logs?stdout=1&stderr=1&timestamps=1{follow}{since}"

    def to_json(self, cursor: str) -> dict[str, Any]:
        """What a later collector needs. `cursor` is where the app's log is now; as long as lines that are in it may
        come again, the older one is noted, so that a second crash doubles nothing either."""
        if self.mode in ("follow", "tail") and self.socket is not None and time.monotonic() - self._opened > STEADY:
            self._stored.clear()
        place = self._stored_after if self._stored else cursor
        return {"app": self.app, "process": self.process, "position": self.position.to_json(), "cursor": place}


def _is_time(timestamp: str) -> bool:
    try:
        nanoseconds(timestamp)
    except ValueError:
        return False
    return True
