"""The engine's door for attached runs: a stream socket that everyone on the machine may knock at.

The ticket decides: random, used once, known to the database by its hash, worthless after half a minute. Who has it was
allowed to run this very command by the API.
"""

from __future__ import annotations

import hashlib
import socket
import sys
import threading
import traceback
from contextlib import suppress
from datetime import timedelta

from wherry import clock
from wherry.errors import Unavailable, WherryError
from wherry.model import wire
from wherry.model.run import Run
from wherry.reconciler.attendance import Attendance, Verdict
from wherry.reconciler.outside import Outside
from wherry.reconciler.runs import TICKET_LIFE, Runs
from wherry.store import runs as table

MOST = 32
"""Connections at the same time, those without a ticket too: a run needs one, and there are fewer runs."""

PATIENCE = 5.0
"""Seconds that a ticket may take."""

UNKNOWN = Unavailable("this ticket is unknown, used or too old", code="no_such_ticket", hint="Run it again.")


class Door:
    """Opened when the engine knows its runs, closed before it ends."""

    def __init__(self, outside: Outside, runs: Runs) -> None:
        self.outside, self.runs = outside, runs
        self._places = threading.BoundedSemaphore(MOST)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def open(self) -> None:
        path = self.outside.settings.attach_socket
        path.unlink(missing_ok=True)
        self._listener.bind(str(path))
        path.chmod(0o666)
        self._listener.listen(MOST)
        threading.Thread(target=self._receive, name="attach", daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _receive(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._places.acquire(blocking=False):
                threading.Thread(target=self._serve, args=(client,), name="attached run", daemon=True).start()
            else:
                client.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            frames = wire.Frames()
            run = self._admit(_ticket(client, frames))
            if run is None:
                client.sendall(Verdict(None, "", UNKNOWN).frame())
                return
            self.runs.attended(Attendance(self.outside, client, run, frames))
        except (OSError, wire.BrokenWire, WherryError) as error:
            print(f"attached run: {error}", file=sys.stderr, flush=True)
        except Exception:
            traceback.print_exc()
        finally:
            client.close()
            self.outside.database.close()
            self._places.release()

    def _admit(self, ticket: bytes) -> Run | None:
        since = clock.text(clock.parse(clock.now()) - timedelta(seconds=TICKET_LIFE))
        with self.outside.database.write() as connection:
            return table.admit(connection, hashlib.sha256(ticket).hexdigest(), since)


def _ticket(client: socket.socket, frames: wire.Frames) -> bytes:
    """What the first frame carries; nothing may come behind it before the engine is ready. Raises OSError, BrokenWire."""
    end = clock.monotonic() + PATIENCE
    found: list[wire.Frame] = []
    while not found:
        client.settimeout(max(0.01, end - clock.monotonic()))
        data = client.recv(4096)
        if not data:
            raise wire.BrokenWire("no ticket came")
        found = frames.feed(data)
    first, *more = found
    if first.kind != wire.TICKET or more:
        raise wire.BrokenWire("a ticket must come first, and alone")
    client.settimeout(None)
    return first.payload
