"""Works off operations: one thread each, one per app at a time, finished or undone whatever happens."""

from __future__ import annotations

import os
import secrets
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from wherry import clock, failpoint
from wherry.errors import DeployFailed, Unavailable, WherryError
from wherry.model.disk import trouble_of
from wherry.model.operation import Operation
from wherry.own_name import in_own_name
from wherry.reconciler import changes, checks, outline, registries, storage
from wherry.reconciler.build_queue import queue_of
from wherry.reconciler.clones import clone
from wherry.reconciler.deploy import deploy
from wherry.reconciler.doctor import doctor
from wherry.reconciler.outside import Outside
from wherry.reconciler.renames import rename
from wherry.reconciler.work import Work
from wherry.store import apps, operations

VERBS: dict[str, Callable[[Work], None]] = {
    "deploy": deploy,
    "config": changes.config,
    "scale": changes.scale,
    "limits": changes.limits,
    "check": checks.run,
    "checks": checks.change,
    "restart": changes.restart,
    "stop": changes.stop,
    "start": changes.start,
    "rollback": changes.rollback,
    "destroy": changes.destroy,
    "plan": outline.plan,
    "login": registries.login,
    "logout": registries.logout,
    "doctor": doctor,
    "rename": rename,
    "clone": clone,
    "mounts": storage.mounts,
    "volume": storage.destroy,
}
MAX_ATTEMPTS = 5
"""An operation whose owner died this often is what kills its owners."""
PATIENCE = 90.0
"""Seconds that an operation waits for an engine or a proxy that does not answer."""


class Worker:
    """Claims what waits. `owner` names this process among all that ever were; `ended` is called when one is over,
    and with whether it may have changed what runs."""

    def __init__(self, outside: Outside, ended: Callable[[bool], None]) -> None:
        self.outside = outside
        self.owner = f"{_boot_id()}.{os.getpid()}.{secrets.token_hex(4)}"
        self._builds = queue_of(outside.settings)
        self._ended = ended

    def recover(self) -> None:
        """Takes over the operations of a dead engine: again, or failed when that was tried often enough."""
        with self.outside.database.read() as connection:
            orphans = operations.orphans(connection, self.owner)
        for orphan in orphans:
            if orphan.attempts < MAX_ATTEMPTS:
                with self.outside.database.write() as connection:
                    operations.requeue(connection, orphan)
            else:
                told = f"the platform ended {orphan.attempts} times while it worked on this"
                Work(self.outside, orphan, self._builds).fail(WherryError(told, code="gave_up"))
        with self.outside.database.read() as connection:
            self._builds.expect({one.id for one in operations.unfinished(connection) if one.kind == "deploy"})

    def start_waiting(self) -> bool:
        """Starts a thread for every app that has work and none running; returns whether it started one."""
        started = False
        with self.outside.database.read() as connection:
            waiting = operations.waiting(connection)
        for operation in waiting:
            with self.outside.database.write() as connection:
                claimed = operations.claim(connection, operation, self.owner, clock.now())
            started |= claimed
            if claimed:
                self._keep(operation)
                threading.Thread(target=self._work, args=(operation.id,), name=f"operation {operation.id}", daemon=True).start()
        return started

    def _keep(self, operation: Operation) -> None:
        """What an earlier engine was bringing to life may serve already, and stays until its operation goes on: by the wish in the
        database it would be ended for the old release, which may have been stopped first."""
        if "release" in operation.progress and "live" not in operation.progress:
            self.outside.memory.keep_for_an_operation(operation.app)

    def _work(self, operation_id: int) -> None:
        with self.outside.database.read() as connection:
            work = Work(self.outside, operations.get(connection, operation_id), self._builds)
        try:
            self._patiently(work)
        except WherryError as error:
            self._fail(work, error)
        except Exception as error:
            self._fail(work, trouble_of(error) or _ours(operation_id))
        finally:
            self._builds.forget(operation_id)
            self.outside.memory.keep_no_longer(work.operation.app)
            self._clear_up(work)
            self.outside.database.close()
            failpoint.at("notify")
            self._ended(work.came_far)

    def _clear_up(self, work: Work) -> None:
        """What follows the end. On a full disk it fails, and the next operation of the app must hear of the end all the same."""
        try:
            work.drop_spooled()
        except (OSError, WherryError) as error:
            print(f"operation {work.operation.id}: {error}", file=sys.stderr, flush=True)

    def _patiently(self, work: Work) -> None:
        end = clock.monotonic() + PATIENCE
        while True:
            try:
                VERBS[work.operation.kind](work)
                return
            except Unavailable as error:
                if clock.monotonic() >= end:
                    raise
                work.say(f"       {error.message}; trying again")
                clock.sleep(2.0)
                work.look_again()

    def _fail(self, work: Work, error: WherryError) -> None:
        """Ends the operation with its reason, however long the database takes: one without an end keeps all others of the app out."""
        error.message, error.hint = (in_own_name(text, work.command, error.quoted) for text in (error.message, error.hint))
        self._tell(work, error)
        while True:
            try:
                work.fail(error)
                return
            except Unavailable as down:
                print(f"operation {work.operation.id}: {down}", file=sys.stderr, flush=True)
                clock.sleep(2.0)

    def _tell(self, work: Work, error: WherryError) -> None:
        """What, why, the fix, the evidence, the state of the world: the last lines of a failed operation's log."""
        code = f"{error.code} " if error.code[:1] in "RHL" and error.code[1:].isdigit() else ""
        work.say(f" !     {code}{error.message}")
        if error.hint:
            work.say(f"       {error.hint}")
        if isinstance(error, DeployFailed) and error.evidence:
            work.say(f"       {error.heading}")
            for line in error.evidence:
                work.say(f"         {line}")
        work.say(f"       {self._state_of_the_world(work)} More: {work.command} help {error.code}")

    def _state_of_the_world(self, work: Work) -> str:
        with self.outside.database.read() as connection:
            app = apps.find(connection, work.operation.app)
        if app is None or app.release is None:
            return "Nothing was changed."
        return work.pause.words(app.release)


def _ours(operation_id: int) -> WherryError:
    """An unexpected error is ours: the trace goes to the platform's log under a reference, never to the person."""
    reference = secrets.token_hex(4)
    print(f"operation {operation_id}: unexpected error, reference {reference}\n{traceback.format_exc()}", file=sys.stderr, flush=True)
    return WherryError(
        f"an error of Wherry's own, not of your app (reference {reference})",
        code="internal",
        hint="Please report it with the output of: wherry doctor --bundle",
    )


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()[:8]
    except OSError:
        return "unknown"
