"""What the apps wish of their logs, as the engine's threads ask for it with every batch: read anew at most once a second."""

from __future__ import annotations

import threading
from pathlib import Path

from wherry import clock
from wherry.errors import WherryError
from wherry.model.log_settings import MB, LogSettings
from wherry.store import log_settings
from wherry.store.database import Database

FRESH = 1.0


class LogWishes:
    """Safe to share between threads. `default_size` is MB. `database` is the file."""

    def __init__(self, database: Path, default_size: int) -> None:
        self._database, self._default = Database(database), default_size
        self._known: dict[str, LogSettings] = {}
        self._due = 0.0
        self._lock = threading.Lock()

    def of(self, app: str) -> LogSettings | None:
        """None for an app that there is not."""
        with self._lock:
            if clock.monotonic() >= self._due:
                self._look()
            return self._known.get(app)

    def cap(self, app: str) -> int:
        """Bytes on disk that the app's log may take."""
        wished = self.of(app)
        return (wished.max_size if wished and wished.max_size else self._default) * MB

    def _look(self) -> None:
        self._due = clock.monotonic() + FRESH
        try:
            with self._database.read() as connection:
                self._known = log_settings.every(connection)
        except WherryError:  # a database that is busy for long: what was known holds
            return
        finally:
            self._database.close()  # threads come and go, and each would keep one open
