"""One operation being worked on: its log, its facts, its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from wherry import clock, machine
from wherry.building.guard import DISK, NO_ROOM_LEFT
from wherry.errors import DeployFailed, Unavailable, WherryError
from wherry.model import shares
from wherry.model.app import App
from wherry.model.disk import refuse_when_full
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.reconciler.build_queue import BuildQueue, Waiter
from wherry.reconciler.outside import Outside
from wherry.reconciler.pause import Pause
from wherry.store import apps, disk, events, operations, releases
from wherry.store.database import Connection

MAKES_IMAGES = ("deploy", "destroy")
"""What changes what lies on the disk."""
ONLY_LOOK = ("plan", "doctor")
"""What changes nothing."""
FILLED = (DISK, NO_ROOM_LEFT, "disk_low", "disk_full")
"""How builds fail of which a full disk may be left, or was there before."""
LEAST_ROOM = 100 * shares.MB
"""What the smallest build leaves on the disk."""


class Work:
    """Handed to whoever does an operation. `began` is when the person asked, as a monotonic time."""

    def __init__(self, outside: Outside, operation: Operation, builds: BuildQueue) -> None:
        self.outside = outside
        self.operation = operation
        self.actor = Actor(operation.actor, "admin", "operation")
        self._builds = builds
        self._look_again = 0.0
        self._cancelled = False
        self.pause = Pause()

    @property
    def command(self) -> str:
        """What people type before a command of this platform's."""
        return self.outside.settings.name

    @property
    def came_far(self) -> bool:
        """Whether it may have changed what runs: a deploy whose build failed has not, nor one that found its build running. As of the
        operation's end, or of the last `look_again`."""
        return self.operation.kind not in ONLY_LOOK and (self.operation.kind != "deploy" or "build" in self.operation.progress)

    def say(self, line: str) -> None:
        """One line for whoever follows."""
        self.outside.operation_logs.write(self.operation.id, line)

    def detail(self, line: str) -> None:
        """A line below a heading."""
        self.say(f"{self.indent}{line}")

    @property
    def indent(self) -> str:
        """What stands before a line below a heading; only a push has headings."""
        return "       " if self.operation.kind in ("deploy", "plan") else ""

    def look_again(self) -> None:
        """Reads the operation anew: its facts may have grown."""
        with self.outside.database.read() as connection:
            self.operation = operations.get(connection, self.operation.id)

    def seconds(self) -> float:
        """How long ago the person asked."""
        asked = self.operation.payload.get("at", self.operation.created_at)
        return max(0.0, (clock.parse(clock.now()) - clock.parse(asked)).total_seconds())

    def app(self) -> App:
        with self.outside.database.read() as connection:
            return apps.get(connection, self.operation.app)

    def reached(self, connection: Connection, **facts: Any) -> None:
        """Remembers facts in the caller's transaction, for whoever owns the operation after us."""
        operations.progress(connection, self.operation, **facts)

    def cancelled(self) -> bool:
        """Whether someone asked for an end; looks at most five times a second."""
        if not self._cancelled and clock.monotonic() >= self._look_again:
            self._look_again = clock.monotonic() + 0.2
            with self.outside.database.read() as connection:
                self._cancelled = "cancel" in operations.get(connection, self.operation.id).progress
        return self._cancelled

    @contextmanager
    def turn_to_build(self) -> Iterator[None]:
        """Waits for a place among the builds, and says why it does. Raises DeployFailed when that was cancelled or is in vain."""
        told: list[str] = []

        def say(why: str) -> None:
            told.append(why)
            self.say(f"       {why}")
            self._note(waiting=why)

        with self._builds.turn(Waiter(self.operation.id, self.operation.app, say, self.cancelled)):
            self._note(build_began=clock.now(), **({"waiting": ""} if told else {}))
            yield

    def check_room(self) -> None:
        """Raises DeployFailed when the disk is too full to start a build."""
        room = machine.room(self.outside.builder.disk())
        if room is None:
            return
        reserve = shares.disk_reserve(self.outside.settings.disk_reserve, room.total)
        try:
            refuse_when_full("a build", LEAST_ROOM, room.free, room.inodes, reserve)
        except Unavailable as error:  # an engine that is away is waited for; this does not pass by waiting
            raise DeployFailed(error.message, code="disk_low", hint=error.hint) from error

    def _note(self, **facts: Any) -> None:
        with self.outside.database.write() as connection:
            self.reached(connection, **facts)

    def succeed(self, connection: Connection, **result: Any) -> None:
        """Ends the operation in the caller's transaction: what it did and that it is done become true together."""
        operations.finish(connection, self.operation, "succeeded", clock.now(), result)
        self._ended(connection, "succeeded", **result)

    def fail(self, error: WherryError) -> None:
        """Ends the operation with its reason."""
        state = "cancelled" if error.code in ("cancelled", "build_cancelled") else "failed"
        told = {"code": error.code, "message": error.message, "hint": error.hint}
        with self.outside.database.write() as connection:
            self._fail_release(connection, error)
            operations.finish(connection, self.operation, state, clock.now(), error=told)
            self._ended(connection, state, code=error.code)

    def _fail_release(self, connection: Connection, error: WherryError) -> None:
        """A release that this operation made and did not bring to life has failed with it."""
        app = apps.find(connection, self.operation.app)
        number = operations.get(connection, self.operation.id).progress.get("release")
        release = releases.under_way(connection, app, number) if app else None
        if release:
            releases.record_outcome(connection, release, "failed", error.message, clock.now())
            facts = {"release": release.version, "code": error.code}
            events.add(connection, self.actor, "release.failed", self.operation.app, clock.now(), **facts)

    def _ended(self, connection: Connection, state: str, **data: Any) -> None:
        """The event, and the wish to have the disk measured: who asks after the end is told of what was made."""
        self.operation = operations.get(connection, self.operation.id)
        kind, app = self.operation.kind, self.operation.app
        if kind in MAKES_IMAGES and (self.came_far or data.get("code") in FILLED):
            disk.want(connection, clock.now())
        events.add(connection, self.actor, f"{kind}.{state}", app or None, clock.now(), operation=self.operation.id, **data)

    def drop_spooled(self) -> None:
        """The source, and whatever else came by a file, is no longer needed."""
        with suppress(WherryError):
            self.look_again()
        for name in self.operation.spooled:
            (self.outside.settings.spool / Path(name).name).unlink(missing_ok=True)
