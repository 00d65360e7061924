"""Has one sender at work for each drain that is wished, and none for others. Costs nothing where there are no drains."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from wherry import clock
from wherry.errors import WherryError
from wherry.model.drain import Drain
from wherry.model.user import PLATFORM
from wherry.reconciler.outside import Outside
from wherry.store import drains, events

if TYPE_CHECKING:
    from wherry.draining.worker import DrainWorker

GOODBYE = 2.0


class Drains:
    """`look` is called by the loop. A worker is known by its drain and the app's name of its time."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._workers: dict[tuple[int, str], DrainWorker] = {}

    def look(self) -> None:
        with self._outside.database.read() as connection:
            wished = {(drain.id, drain.app): drain for drain in drains.every(connection)}
        for key in self._workers.keys() - wished.keys():
            self._end(key[0], self._workers.pop(key), any(number == key[0] for number, _ in wished))
        for key in wished.keys() - self._workers.keys():
            self._workers[key] = self._started(wished[key])

    def _end(self, number: int, worker: DrainWorker, renamed: bool) -> None:
        """The log of a renamed app moved, place and all: whoever goes on there must not meet the one before at its note."""
        worker.stop()
        if renamed:
            worker.join(GOODBYE)
        else:
            self._place(number).unlink(missing_ok=True)

    def stop(self) -> None:
        for worker in self._workers.values():
            worker.stop()
        for worker in self._workers.values():
            worker.join(GOODBYE)

    def _started(self, drain: Drain) -> DrainWorker:
        from wherry.draining.senders import Way
        from wherry.draining.worker import DrainWorker

        settings = self._outside.settings
        way = Way(settings.drain_internal == "yes")
        worker = DrainWorker(drain, settings.app_logs / drain.app, self._place(drain.id), way, self._told)
        worker.start()
        return worker

    def _place(self, number: int) -> Path:
        return self._outside.settings.drain_positions / str(number)

    def _told(self, drain: Drain, state: str, why: str) -> None:
        """Called by a drain's own thread: its owner reads it in the log, and in the list of drains."""
        words = f"Drain {drain.shown} fails: {why}. It is tried again" if state == "failing" else f"Drain {drain.shown} takes lines again"
        self._outside.platform_line(drain.app, "drains", words)
        with suppress(WherryError), self._outside.database.write() as connection:
            drains.note(connection, drain, state, why, clock.now())
            events.add(connection, PLATFORM, f"drain.{state}", drain.app, clock.now(), drain=drain.token, url=drain.shown, reason=why)
        self._outside.database.close()
