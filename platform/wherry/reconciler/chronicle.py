"""Writes the events of an app into its log, so that what happened stands beside what it did: from the event, once each."""

from __future__ import annotations

from contextlib import suppress

from wherry.model.event_words import line_of
from wherry.reconciler.outside import Outside
from wherry.store import apps, events

AT_ONCE = 500


class Chronicle:
    """`look` is called by the loop. How far it came is noted in a file, so that a new engine goes on from there; killed in
    between, it may say the last lines twice."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._place = outside.settings.database.parent / "told-events"
        self._last: int | None = None

    def look(self) -> None:
        """Tells what is new, in the order in which it happened."""
        before = self._last = self._begin() if self._last is None else self._last
        with self._outside.database.read() as connection:
            found = events.since(connection, self._last, limit=AT_ONCE)
            names = {app.name for app in apps.every(connection)} if found else set()
        for event in found:
            self._last = event.id
            line = line_of(event)
            if line is not None and event.app in names:
                self._outside.platform_line(event.app or "", *line)
        if self._last != before:
            with suppress(OSError):
                self._place.write_text(f"{self._last}\n", "ascii")

    def _begin(self) -> int:
        """Where the last engine was; for the first one of its kind, now."""
        try:
            return int(self._place.read_text("ascii"))
        except (OSError, ValueError):
            with self._outside.database.read() as connection:
                newest = events.recent(connection, events.EVERY, 1)
            return newest[0].id if newest else 0
