"""What apps printed and what the platform did to them: one bounded log per app, written by the engine, read by anyone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from wherry import clock
from wherry.model.app import check_name
from wherry.model.log_line import LogRecord, encode
from wherry.model.log_loss import DISK, lost
from wherry.store import log_reader
from wherry.store.log_file import LogFile
from wherry.store.log_reader import LineFilter

DEFAULT_CAP = 16 * 1024 * 1024


class AppLogs:
    """All logs of a platform, one folder per app below `folder`; `cap` is bytes on disk per app, or tells them by app.

    `append`, `platform_line`, `cursor` and `remove` are for one process only, the engine; any of its threads.
    """

    def __init__(self, folder: Path, cap: int | Callable[[str], int] = DEFAULT_CAP) -> None:
        self.folder = folder
        self._cap = cap if callable(cap) else lambda _app: cap
        self._files: dict[str, LogFile] = {}
        self._lock = threading.Lock()

    def append(self, app: str, records: Iterable[LogRecord]) -> None:
        """Writes records in order. Never raises for a full disk: what was lost is counted, and said in the log by a
        line of its own once there is room."""
        file = self._file(app)
        if file.append([encode(record) for record in records]):
            dropped = file.take_dropped()
            if dropped:
                self.platform_line(app, "logs", lost(DISK, dropped, "the disk was full"))

    def platform_line(self, app: str, process: str, text: str) -> None:
        """Writes a line of the platform's own, e.g. `wherry[web.1]: State changed from starting to up`."""
        self._file(app).append([encode(LogRecord(clock.now(), "wherry", process, text))])

    def tail(self, app: str, count: int, **wanted: str | None) -> list[str]:
        """The last `count` lines that are wanted (the words of `LineFilter`), oldest first. Empty for an app without a log."""
        return log_reader.tail(self._folder(app), count, LineFilter(**wanted))

    def follow(self, app: str, count: int, *, stop: Callable[[], bool] = lambda: False, **wanted: str | None) -> Iterator[str | None]:
        """The last `count` lines that are wanted, then each new one within 50 ms, none twice and none missed, until `stop()` or
        until the log is removed. Yields None at least once a second in silence."""
        return log_reader.follow(self._folder(app), count, LineFilter(**wanted), stop)

    def cursor(self, app: str) -> str:
        """A place in the log, for `after`."""
        return "{}:{}".format(*self._file(app).cursor())

    def after(self, app: str, cursor: str, *, process: str | None = None, source: str | None = None) -> list[str]:
        """All lines written since `cursor` was taken, as far as they are kept."""
        number, _, offset = cursor.partition(":")
        return log_reader.after(self._folder(app), int(number), int(offset), LineFilter(process, source))

    def rename(self, app: str, name: str) -> None:
        """The log goes on under another name. What is still written under the old one, by instances that leave, goes there too."""
        with self._lock:
            if self._folder(app).exists() and not self._folder(name).exists():
                self._folder(app).rename(self._folder(name))
            self._files[app] = self._files[name] = LogFile(self._folder(name), self._cap(name))

    def forget_name(self, app: str) -> None:
        """Nobody writes under this name any more: it may become another app's."""
        with self._lock:
            self._files.pop(app, None)

    def remove(self, app: str) -> None:
        """Deletes the app's log. Those who follow it come to its end. Stop collecting from the app's instances first."""
        with self._lock:
            file = self._files.pop(app, None) or LogFile(self._folder(app), DEFAULT_CAP)
        file.remove()

    def _file(self, app: str) -> LogFile:
        cap = self._cap(app)
        with self._lock:
            found = self._files.get(app)
            if found is None:
                found = self._files[app] = LogFile(self._folder(app), cap)
            found.cap = cap
            return found

    def _folder(self, app: str) -> Path:
        return self.folder / check_name(app)
