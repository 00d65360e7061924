"""Collects what all instances print, in one thread, and hands it to the logs of their apps.

No thread, process or buffer per container: hundreds of quiet containers cost a socket each. A flood costs at most half
of a core, is read in bites, delays others by some 20 ms, and grows neither memory nor the store; what the engine throws away before it
could be read leaves a line that says so. Who floods is slowed, where the machine lets us (see `log_brake`).
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from wherry import clock
from wherry.model.log_line import LogRecord
from wherry.running.log_brake import LOOK_EVERY as BRAKE_EVERY
from wherry.running.log_brake import Cap, LogBrakes
from wherry.running.log_pace import Pace
from wherry.running.log_position import Position, nanoseconds
from wherry.running.log_source import LogSource
from wherry.running.log_stream import BrokenStream
from wherry.running.log_tail import Tail
from wherry.running.processor_cap import ProcessorCap

SAVE_EVERY = 1.0
LONGEST_REST = 0.05
LOOK_EVERY = 0.1
"""Seconds between two looks into a file, where the last one took all that there was."""
QUEUE_FULL = 0.02
NEVER = float("inf")

logger = logging.getLogger(__name__)


class LogSink(Protocol):
    """Where lines go. `cursor` is a place in an app's log, `after` all lines of a process written since."""

    def append(self, app: str, records: Iterable[LogRecord]) -> None: ...

    def cursor(self, app: str) -> str: ...

    def after(self, app: str, cursor: str, *, process: str | None = None, source: str | None = None) -> list[str]: ...


class LogCollector:
    """All methods may be called from any thread. `socket_path` is the engine's unix socket; `positions` a file; `most` is how many
    lines a second, and thousands of bytes, an instance may print before it is slowed (0: any number); `every` is how many seconds lie
    between two looks at one that is."""

    def __init__(
        self,
        socket_path: str,
        logs: LogSink,
        positions: Path,
        most: int = 0,
        cap: Callable[[str], Cap] = ProcessorCap,
        every: float = BRAKE_EVERY,
    ) -> None:
        self._path = socket_path
        self._logs = logs
        self._positions = positions
        self._brakes = LogBrakes(most, cap, every)
        self._pace = Pace()
        self._watched: dict[LogSource, float] = {}
        self._sources: dict[str, LogSource] = {}
        self._due: dict[LogSource, float] = {}
        self._polled: dict[LogSource, float] = {}
        self._selector = selectors.DefaultSelector()
        self._wishes: deque[Callable[[], None]] = deque()
        self._wake_in, self._wake_out = socket.socketpair()
        self._batches: dict[str, list[LogRecord]] = defaultdict(list)
        self._read: list[LogSource] = []
        self._dirty = self._stopping = False
        self._saved_at = 0.0
        self._thread = threading.Thread(target=self._run, name="log-collector", daemon=True)

    def start(self) -> None:
        """Goes on where the last collector was, with all containers that it knew."""
        self._load()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._thread.start()

    def stop(self) -> None:
        """Writes what was read, notes the positions, ends the thread. Idempotent."""
        self._wish(lambda: setattr(self, "_stopping", True))
        if self._thread.is_alive():
            self._thread.join()

    def add(self, container: str, app: str, process: str) -> None:
        """Collects from a container that was started, from where we were or from its first line. Idempotent; once
        more for a container that was started again."""
        self._wish(lambda: self._add(container, app, process))

    def finish(self, container: str, timeout: float) -> bool:
        """Waits until all that the container wrote up to now can be read in the log. Call it before a stopped
        container is removed. False when that took longer than `timeout` seconds."""
        done = threading.Event()
        self._wish(lambda: self._finish(container, done))
        return done.wait(timeout)

    def discard(self, container: str, drain: bool = True) -> None:
        """Forgets a container; with `drain`, once all that it wrote was read. Does not wait."""
        self._wish(lambda: self._discard(container, drain))

    def _wish(self, wish: Callable[[], None]) -> None:
        self._wishes.append(wish)
        with suppress(BlockingIOError, OSError):
            self._wake_out.send(b"!")

    def _add(self, container: str, app: str, process: str) -> None:
        source = self._sources.get(container)
        if source is None:
            source = self._sources[container] = LogSource(container, app, process)
            self._saved_at = 0.0  # noted before its first line is written: whoever kills us now doubles none of them
        elif source.ended:
            source.restart()
            self._brakes.forget(container)
        else:
            return
        self._dirty = True
        self._due[source] = 0.0

    def _finish(self, container: str, done: threading.Event) -> None:
        source = self._sources.get(container)
        if source is None or source.ended:
            done.set()
            return
        source.waiting.append(done)
        self._catch_up(source)

    def _discard(self, container: str, drain: bool) -> None:
        source = self._sources.get(container)
        if source is None:
            return
        if source.ended or not drain:
            self._forget(source)
            return
        source.leaving = True
        self._catch_up(source)

    def _catch_up(self, source: LogSource) -> None:
        if source.catch_up():
            self._close(source)
        if source.socket is None:
            self._due[source] = 0.0

    def _forget(self, source: LogSource) -> None:
        self._close(source)
        self._due.pop(source, None)
        self._sources.pop(source.container, None)
        self._brakes.forget(source.container)
        self._read.append(source)
        self._dirty = True

    def _run(self) -> None:
        while not self._stopping:
            ready = self._selector.select(self._patience())
            started = time.monotonic()
            self._take_wishes()
            full = [self._turn(key.data) for key, _ in ready if isinstance(key.data, LogSource) and key.data.socket is key.fileobj]
            flood = any([*full, *self._look_into_files()])
            self._doubt_the_silent()
            self._open_due()
            self._look_at_the_slowed()
            self._flush()
            if flood:  # as long a rest as the work was: a flood may have half a core
                time.sleep(min(LONGEST_REST, time.monotonic() - started))
            elif full:
                time.sleep(self._pace.rest())
        self._close_all()

    def _patience(self) -> float | None:
        """Seconds until something is due without anybody's waking us."""
        now = time.monotonic()
        waits = [min(self._due.values()) - now] if self._due else []
        if self._dirty:
            waits.append(self._saved_at + SAVE_EVERY - now)
        waits += [min(times.values()) - now for times in (self._watched, self._polled) if times]
        wait = min([*waits, self._brakes.wait()])
        return max(0.0, wait) if wait != NEVER else None

    def _take_wishes(self) -> None:
        with suppress(BlockingIOError):
            self._wake_in.recv(4096)
        while self._wishes:
            self._wishes.popleft()()

    def _open_due(self) -> None:
        now = time.monotonic()
        for source in [source for source, at in self._due.items() if at <= now]:
            del self._due[source]
            try:
                source.open(self._path)
            except BlockingIOError:  # hundreds at once: the engine's queue is full for a moment
                self._close(source)
                self._due[source] = now + QUEUE_FULL
            except OSError:
                self._retry(source)
            else:
                self._listen(source)
                self._watch(source)

    def _listen(self, source: LogSource) -> None:
        if isinstance(source.socket, Tail):
            self._polled[source] = 0.0
        else:
            assert source.socket is not None
            self._selector.register(source.socket, selectors.EVENT_READ, source)

    def _look_into_files(self) -> list[bool]:
        """Reads a little from each file that it is time for; says of each whether there may be a lot more."""
        now = time.monotonic()
        found = []
        for source in [source for source, at in self._polled.items() if at <= now]:
            full = self._turn(source)
            found.append(full)
            if source in self._polled:
                self._polled[source] = now + (0.0 if full else LOOK_EVERY)
        return found

    def _turn(self, source: LogSource) -> bool:
        """Reads a little from one container; True when there may be a lot more."""
        try:
            return self._receive(source)
        except BlockingIOError:
            return False
        except (OSError, BrokenStream, ValueError) as error:
            logger.debug("log of %s: %s", source.container[:12], error)
            self._retry(source)
        return False

    def _receive(self, source: LogSource) -> bool:
        portion = source.portion
        size = source.receive(self._batches[source.app])
        if not size and isinstance(source.socket, Tail):
            return False
        self._dirty = True
        self._watch(source)
        self._brake(source)
        if not size:
            self._next_step(source)
        elif source.floods():
            self._close(source)
            self._due[source] = 0.0
        return size == portion

    def _watch(self, source: LogSource) -> None:
        if (patience := source.patience()) != NEVER:
            self._watched[source] = time.monotonic() + patience

    def _brake(self, source: LogSource) -> None:
        final = source.position.final
        if text := self._brakes.took(source.container, source.worth, nanoseconds(final) if final else 0):
            self._say(source, text)
            self._saved_at = 0.0  # whoever comes after us gives back what we took

    def _look_at_the_slowed(self) -> None:
        for container, text in self._brakes.look(lambda container: self._sources[container].follows):
            self._say(self._sources[container], text)

    def _say(self, source: LogSource, text: str) -> None:
        self._batches[source.app].append(LogRecord(clock.now(), "wherry", source.process, text))

    def _next_step(self, source: LogSource) -> None:
        wait = source.after_answer()
        self._close(source)
        if source.read:
            self._read.append(source)
        if source.gone or (source.read and source.ended and source.leaving):
            self._forget(source)
        elif not source.ended:
            self._due[source] = time.monotonic() + wait

    def _retry(self, source: LogSource) -> None:
        self._close(source)
        self._due[source] = time.monotonic() + source.fail()

    def _doubt_the_silent(self) -> None:
        now = time.monotonic()
        for source in [source for source, at in self._watched.items() if at <= now]:
            source.doubt()
            self._close(source)
            self._due[source] = 0.0

    def _close(self, source: LogSource) -> None:
        self._watched.pop(source, None)
        self._polled.pop(source, None)
        if isinstance(source.socket, socket.socket):
            with suppress(KeyError):
                self._selector.unregister(source.socket)
        source.close()

    def _flush(self) -> None:
        for app, records in self._batches.items():
            try:
                if records:
                    self._logs.append(app, records)
            except Exception:  # one app's trouble must not end the logs of all
                logger.exception("log of %s: %d lines could not be written", app, len(records))
        self._batches.clear()
        for source in self._read:
            source.tell()
        self._read.clear()
        if self._dirty and time.monotonic() - self._saved_at >= SAVE_EVERY:
            self._save()

    def _close_all(self) -> None:
        self._flush()
        self._save()
        for source in list(self._sources.values()):
            self._close(source)
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()

    def _save(self) -> None:
        """Notes positions with the place in each app's log that they stand for."""
        self._saved_at, self._dirty = time.monotonic(), False
        cursors = {app: self._logs.cursor(app) for app in {source.app for source in self._sources.values()}}
        noted = {id: {**source.to_json(cursors[source.app]), "slowed": self._brakes.before(id)} for id, source in self._sources.items()}
        temporary = self._positions.with_suffix(".tmp")
        with suppress(OSError):  # a full disk: the next time, then
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(json.dumps(noted))
            temporary.replace(self._positions)

    def _load(self) -> None:
        try:
            noted = json.loads(self._positions.read_text("utf-8"))
            for container, facts in noted.items():
                source = self._sources[container] = LogSource(container, facts["app"], facts["process"])
                stored = self._logs.after(source.app, facts["cursor"], process=source.process, source="app")
                source.resume(Position.from_json(facts["position"]), facts["cursor"], stored)
                self._due[source] = 0.0
                if before := facts.get("slowed"):
                    self._brakes.resume(container, before)
        except FileNotFoundError:
            self._positions.parent.mkdir(parents=True, exist_ok=True)
        except (ValueError, KeyError, TypeError, AttributeError):
            logger.warning("%s can not be read; logs of running instances may be collected twice", self._positions)
