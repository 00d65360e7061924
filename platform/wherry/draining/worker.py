"""One drain at work: reads the app's log as it grows and sends it on, until told to stop.

The log on disk is the buffer, so a dead or slow receiver costs no memory and no other app anything; what is rotated away
before it was sent is told as Heroku's L10. How far we came is noted after each batch has arrived: after a crash some lines
may be sent twice, and none is left out.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wherry import clock
from wherry.draining.senders import Refused, Way, sender_of
from wherry.errors import WherryError
from wherry.model.drain import Drain
from wherry.model.log_line import LogRecord, encode
from wherry.model.log_loss import DRAIN, lost
from wherry.store.log_reader import Follower

POLL = 0.4
"""Seconds between two looks; also how long lines gather for one post."""
BATCH = 1000
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
TRIES = 3
"""How often lines are sent that the receiver refuses as such."""

Told = Callable[[Drain, str, str], None]


class DrainWorker:
    """`folder` is the app's log, `place` the file that notes how far we came; `told` hears of each change of state; `pause` are the
    seconds after a first failure."""

    def __init__(self, drain: Drain, folder: Path, place: Path, way: Way, told: Told, pause: float = FIRST_PAUSE) -> None:
        self._drain, self._folder, self._place, self._told = drain, folder, place, told
        self._sender = sender_of(drain, way)
        self._first_pause = pause
        self._stop = threading.Event()
        self._failing = drain.state == "failing"
        self._thread = threading.Thread(target=self._run, name=f"drain {drain.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Tells it to end; it does within the time of one send."""
        self._stop.set()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        self._log = self._follower(*_read_place(self._place))
        self._note()
        try:
            while not self._stop.is_set():
                began = time.thread_time()
                lines = self._read()
                for start in range(0, len(lines), BATCH):
                    self._deliver(lines[start : start + BATCH])
                if lines and not self._stop.is_set():
                    self._note()
                # no more than half of a processor, as the log's own collector
                self._stop.wait(time.thread_time() - began if lines else POLL)
        finally:
            self._log.close()
            self._sender.close()

    def _follower(self, position: tuple[int, int] | None, passed: int | None = None) -> Follower:
        return Follower(self._folder, position, DRAIN, passed)

    def _read(self) -> list[str]:
        data = self._log.read()
        if self._log.removed:
            self._log.close()
            self._log = self._follower((0, 0))
        return data.decode("utf-8", "replace").splitlines()

    def _deliver(self, lines: list[str]) -> None:
        """Tries until the lines have arrived, are refused for good, or we are told to stop."""
        pause, refusals = self._first_pause, 0
        while not self._stop.is_set():
            try:
                self._sender.send(lines)
            except Refused as error:
                refusals += 1
                why = str(error)
                if refusals >= TRIES:
                    lines, refusals = [_mark(len(lines), why)], 0
            except (OSError, WherryError, ValueError) as error:
                why = _why(error)
            else:
                self._tell("sending", "")
                return
            self._tell("failing", why)
            self._stop.wait(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def _tell(self, state: str, why: str) -> None:
        if self._failing != (state == "failing"):
            self._failing = state == "failing"
            self._told(self._drain, state, why)

    def _note(self) -> None:
        fresh = self._place.with_suffix(".new")
        with suppress(OSError):  # a full disk: some lines may be sent twice, then
            self._place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            fresh.write_text(json.dumps([*self._log.position, self._log.passed]), "ascii")
            fresh.replace(self._place)


def _read_place(path: Path) -> tuple[tuple[int, int] | None, int | None]:
    """Where we were, and how many lines the log had held up to there. None begins at the end of the log, as for a drain that was added
    just now."""
    try:
        number, offset, *passed = json.loads(path.read_text("ascii"))
        return (int(number), int(offset)), int(passed[0]) if passed and passed[0] is not None else None
    except (OSError, ValueError, TypeError):
        return None, None


def _mark(count: int, why: str) -> str:
    return encode(LogRecord(clock.now(), "wherry", "logs", lost(DRAIN, count, why))).decode().removesuffix("\n")


def _why(error: Exception) -> str:
    if isinstance(error, WherryError):
        return error.message
    if getattr(error, "reason", "") == "WRONG_VERSION_NUMBER":
        return "it does not speak TLS"
    words = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error) or type(error).__name__
    return str(words).splitlines()[0][:120].rstrip(".")
