"""The runs that are open: starts detached ones, ends those that were stopped or are out of time, notes what ended.

Asked at every turn of the loop, and cheap when there is nothing to do. What takes longer has a thread of its own.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from datetime import timedelta

from wherry import clock
from wherry.errors import Unavailable, WherryError
from wherry.model.run import Run
from wherry.reconciler import run_book
from wherry.reconciler.attendance import Attendance, out_of_time, restarting, stopped
from wherry.reconciler.converge import ensure_network
from wherry.reconciler.outside import Outside
from wherry.running.engine import Observed
from wherry.store import runs

TICKET_LIFE = 30.0
"""Seconds within which the client of an attached run must come."""

COLLECT_WITHIN = 5.0


class Runs:
    """One per engine process. `woken` makes the loop look again."""

    def __init__(self, outside: Outside, woken: Callable[[], None]) -> None:
        self.outside = outside
        self._woken = woken
        self._lock = threading.Lock()
        self._attended: dict[int, Attendance] = {}
        self._busy: set[int] = set()
        self._deadlines: dict[int, float] = {}
        self._reasons: dict[int, str] = {}

    def recover(self) -> None:
        """After a start: detached runs go on, attached ones ended with the engine that held their lines."""
        found = {(seen.app, seen.index): seen for seen in self.outside.engine.detached()}
        with self.outside.database.read() as connection:
            known = runs.unended(connection)
        for run in known:
            seen = found.pop((run.app, run.number), None)
            if run.attached:
                self._recover_attached(run)
            else:
                self._recover_detached(run, seen)
        for seen in found.values():
            self.outside.engine.remove(seen.id)
        run_book.forget_rows(self.outside, {(run.app, run.number) for run in known if not run.attached})

    def _recover_attached(self, run: Run) -> None:
        if run.state != "waiting":
            run_book.ended(self.outside, run, None, "the platform restarted")

    def _recover_detached(self, run: Run, seen: Observed | None) -> None:
        if seen and seen.started_at:
            self.outside.collector.add(seen.id, run.app, run.name)
            if run.state == "starting":
                run_book.started(self.outside, run, seen.id)
        elif run.state == "running":
            run_book.ended(self.outside, run, None, "its container is gone")
        else:
            if seen:
                self.outside.engine.remove(seen.id)
            with self.outside.database.write() as connection:
                runs.unclaim(connection, run)

    def look(self) -> None:
        """Takes the next step of each open run. Raises Unavailable."""
        with self.outside.database.read() as connection:
            known = runs.unended(connection)
        with self._lock:
            self._deadlines = {run.id: self._deadline(run) for run in known if run.time_limit and run.started_at}
        alone = [run for run in known if not run.attached]
        seen = {found.id: found for found in self.outside.engine.detached()} if any(run.container for run in alone) else {}
        for run in known:
            self._step(run, seen.get(run.container))

    def next_due(self) -> float | None:
        """The monotonic time at which the next run is out of time; None when there is none."""
        now = clock.monotonic()
        with self._lock:
            return min((at for at in self._deadlines.values() if at > now), default=None)

    def attended(self, attendance: Attendance) -> None:
        """Blocks while the client of an attached run is served."""
        with self._lock:
            self._attended[attendance.run.id] = attendance
        try:
            attendance.attend()
        finally:
            with self._lock:
                del self._attended[attendance.run.id]

    def close(self, patience: float) -> None:
        """Ends the attached runs with a word to their clients; the detached go on without this engine."""
        end = clock.monotonic() + patience
        for attendance in self._open():
            attendance.hang_up(restarting(attendance.run))
        while self._open() and clock.monotonic() < end:
            clock.sleep(0.02)

    def _open(self) -> list[Attendance]:
        with self._lock:
            return list(self._attended.values())

    def _step(self, run: Run, seen: Observed | None) -> None:
        if run.state == "waiting":
            self._wait(run)
        elif run.state == "running" and not run.attached and (seen is None or not seen.running):
            self._in_thread(run, lambda: self._finish(run, seen))
        elif run.state == "running" and (run.stopped_by or self._is_late(run)):
            self._in_thread(run, lambda: self._end(run))

    def _wait(self, run: Run) -> None:
        if run.stopped_by:
            run_book.ended(self.outside, run, None, f"stopped by {run.stopped_by}")
        elif not run.attached:
            self._in_thread(run, lambda: self._start(run))
        elif run.created_at < clock.text(clock.parse(clock.now()) - timedelta(seconds=TICKET_LIFE)):
            run_book.ended(self.outside, run, None, "its client never came")

    def _deadline(self, run: Run) -> float:
        """Counted by the monotonic clock once it is known, so that a clock that is set ends nothing."""
        if run.id in self._deadlines:
            return self._deadlines[run.id]
        been = (clock.parse(clock.now()) - clock.parse(run.started_at or clock.now())).total_seconds()
        return clock.monotonic() + max(0.0, (run.time_limit or 0) - max(0.0, been))

    def _is_late(self, run: Run) -> bool:
        return clock.monotonic() >= self._deadlines.get(run.id, float("inf"))

    def _start(self, run: Run) -> None:
        with self.outside.database.write() as connection:
            if not runs.claim(connection, run):
                return
        try:
            ensure_network(self.outside, run.app)
            run_book.announced(self.outside, run)
            seen = self.outside.engine.start_detached(run_book.spec_of_run(self.outside, run))
        except Unavailable:
            with self.outside.database.write() as connection:
                runs.unclaim(connection, run)
            raise
        except WherryError as error:
            run_book.ended(self.outside, run, None, error.message)
            return
        self.outside.collector.add(seen.id, run.app, run.name)
        run_book.started(self.outside, run, seen.id)
        self._woken()

    def _end(self, run: Run) -> None:
        """SIGTERM, then SIGKILL. What ended is noted by whoever waits for its end."""
        why = stopped(run, run.stopped_by) if run.stopped_by else out_of_time(run)
        grace = self.outside.settings.stop_timeout
        if not run.attached:
            self._reasons[run.id] = why.message.removeprefix(f"{run.name} ").removeprefix("was ")
            self.outside.engine.stop(run.container, grace)
            self._woken()
            return
        with self._lock:
            attendance = self._attended.get(run.id)
        if attendance:
            attendance.end(why)
            self._wait_for_end(run, grace)
            if attendance.talk:
                attendance.talk.kill()
            self._wait_for_end(run, grace)

    def _wait_for_end(self, run: Run, seconds: float) -> None:
        end = clock.monotonic() + seconds
        while run.id in self._attended and clock.monotonic() < end:
            clock.sleep(0.05)

    def _finish(self, run: Run, seen: Observed | None) -> None:
        if seen is None:
            run_book.ended(self.outside, run, None, self._reasons.pop(run.id, "its container is gone"))
            return
        reason = "R14 out of memory" if seen.oom else self._reasons.pop(run.id, "")
        self.outside.collector.finish(seen.id, COLLECT_WITHIN)
        run_book.ended(self.outside, run, seen.exit_code, reason)
        self.outside.engine.remove(seen.id)
        self.outside.collector.discard(seen.id)

    def _in_thread(self, run: Run, work: Callable[[], None]) -> None:
        with self._lock:
            if run.id in self._busy:
                return
            self._busy.add(run.id)
        threading.Thread(target=self._guarded, args=(run, work), name=f"{run.app} {run.name}", daemon=True).start()

    def _guarded(self, run: Run, work: Callable[[], None]) -> None:
        try:
            work()
        except WherryError as error:
            print(f"{run.app} {run.name}: {error}", file=sys.stderr, flush=True)
        except Exception:
            traceback.print_exc()
        finally:
            with self._lock:
                self._busy.discard(run.id)
            self.outside.database.close()
