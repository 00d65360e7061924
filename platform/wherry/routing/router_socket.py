"""Takes HAProxy's lines about requests from a datagram socket and hands them to the logs of their apps; one thread.

HAProxy never waits for us: what the socket has no room for is lost, and HAProxy counts on. We take at most a quarter of
a core, whatever the load, and each gap leaves a line that says how many requests are missing from the log.
"""

from __future__ import annotations

import grp
import os
import select
import socket
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wherry import clock
from wherry.model.log_line import LogRecord
from wherry.model.log_settings import LogSettings
from wherry.routing import router_lines
from wherry.routing.haproxy_config import ACCOUNT, LINES_OF_APP
from wherry.routing.router_gaps import Gaps
from wherry.routing.router_lines import RouterLine

QUEUE = 512
"""Datagrams that wait for us at most; also what systemd sets for a machine."""
QUEUE_SETTING = Path("/proc/sys/net/unix/max_dgram_qlen")
LARGEST = 8192
BATCH = 1000
REST, LONG_REST = 0.02, 0.1
"""Seconds after each batch in which the next one gathers: the long one while few lines come and there is room for a burst, since a turn
costs more than ten lines do."""
FEW = QUEUE // 8
MARK_EVERY = 1.0
SHARE = 3
"""We rest so many times longer than we work."""

Append = Callable[[str, list[LogRecord]], None]
SettingsOf = Callable[[str], LogSettings | None]


class RouterSocket:
    """`path` is where HAProxy sends to, `append` where records go, `settings_of` what an app wishes (None: no such app)."""

    def __init__(self, path: Path, append: Append, settings_of: SettingsOf) -> None:
        self._path, self._append, self._settings_of = path, append, settings_of
        self._gaps = Gaps()
        self._passed_over: dict[str, float] = defaultdict(float)
        self._marks_due = 0.0
        self._stopping = False
        self._long_rest = REST
        self._thread = threading.Thread(target=self._run, name="router-lines", daemon=True)

    def start(self) -> None:
        """Takes the place of an earlier life's socket. HAProxy, which outlives us, finds it by its name."""
        self._socket, room = _listening(self._path)
        self._long_rest = LONG_REST if room >= QUEUE else REST
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as knock:
            knock.sendto(b"", str(self._path))
        self._thread.join(10.0)
        self._socket.close()

    def _run(self) -> None:
        while not self._stopping:
            select.select([self._socket], [], [], MARK_EVERY if self._passed_over else None)
            began = time.thread_time()
            waiting = self._waiting()
            try:
                self._take(waiting)
            except Exception as error:  # one line's trouble must not end the lines of all
                print(f"router lines: {error!r}", file=sys.stderr, flush=True)
            rest = self._long_rest if len(waiting) < FEW else REST
            time.sleep(max(rest, SHARE * (time.thread_time() - began)))

    def _waiting(self) -> list[bytes]:
        found: list[bytes] = []
        with suppress(BlockingIOError):
            while len(found) < BATCH:
                found.append(self._socket.recv(LARGEST))
        return found

    def _take(self, datagrams: list[bytes]) -> None:
        now = clock.now()
        records: dict[str, list[LogRecord]] = {}
        for datagram in datagrams:
            self._gaps.count(datagram)
            line = router_lines.read(datagram)
            if line is not None:
                self._put(now, line, records)
        if records and (lost := self._gaps.lost()):
            for lines in records.values():
                lines.append(_mark(now, f"{lost} router lines of this and other apps dropped: more came at once than could be taken in"))
        if clock.monotonic() >= self._marks_due:
            self._marks(now, records)
        for app, lines in records.items():
            self._append(app, lines)

    def _put(self, now: str, line: RouterLine, records: dict[str, list[LogRecord]]) -> None:
        wished = self._settings_of(line.app)
        if wished is None or not wished.router:
            return
        records.setdefault(line.app, []).append(LogRecord(now, "heroku", "router", router_lines.shown(line, wished.query)))
        others = router_lines.stands_for(line) - 1
        if others:
            self._passed_over[line.app] += others

    def _marks(self, now: str, records: dict[str, list[LogRecord]]) -> None:
        """Says how many requests got no line, at most once a second per app."""
        self._marks_due = clock.monotonic() + MARK_EVERY
        for app, count in self._passed_over.items():
            if round(count) and self._settings_of(app):
                mark = _mark(now, f"about {round(count)} router lines dropped: under load about {LINES_OF_APP} a second are kept")
                records.setdefault(app, []).append(mark)
        self._passed_over.clear()


def _mark(now: str, text: str) -> LogRecord:
    return LogRecord(now, "wherry", "router", text)


def _listening(path: Path) -> tuple[socket.socket, int]:
    """A fresh socket under the name that HAProxy's account may write to, and for how many datagrams it has room."""
    path.unlink(missing_ok=True)
    with _RoomForBursts() as room:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind(str(path))
    path.chmod(0o660)
    with suppress(KeyError, PermissionError):
        os.chown(path, -1, grp.getgrnam(ACCOUNT).gr_gid)
    return made, room


class _RoomForBursts:
    """For the moment in which a socket is made, its queue may be as long as on a machine with systemd; without, the
    kernel gives it ten places. Where that is not ours to set, bursts lose more lines."""

    def __enter__(self) -> int:
        """Returns how long it may be, 0 where nobody knows."""
        self._before = ""
        with suppress(OSError, ValueError):
            before = QUEUE_SETTING.read_text("ascii").strip()
            if int(before) < QUEUE:
                QUEUE_SETTING.write_text(f"{QUEUE}\n", "ascii")
                self._before = before
            return max(QUEUE, int(before))
        return 0

    def __exit__(self, *error: object) -> None:
        if self._before:
            with suppress(OSError):
                QUEUE_SETTING.write_text(f"{self._before}\n", "ascii")
