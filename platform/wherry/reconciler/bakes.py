"""Watches new releases for a while after their switch, and lets a bad one go back: an operation like a person's, once.

All that counts is in the database, so another engine goes on with it. A change by a person ends the watch: they are at it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from wherry import clock
from wherry.model import bake as rules
from wherry.model.app import App
from wherry.model.bake import BAD, ENDED, PASSED, Bake
from wherry.model.check_settings import number
from wherry.model.release import Release
from wherry.model.user import PLATFORM, Actor
from wherry.reconciler.outside import Outside
from wherry.store import apps, bakes, events, operations, releases
from wherry.store.database import Connection

EVERY = 2.0
"""Seconds between two looks at a release that is watched."""


class Bakes:
    """One per engine. `woken` is called when there is an operation to start; `every` is in seconds."""

    def __init__(self, outside: Outside, woken: Callable[[], None], every: float = EVERY) -> None:
        self.outside = outside
        self.every = every
        self._woken = woken
        self._due: float | None = 0.0

    def next_due(self) -> float | None:
        """When to look next (monotonic), None when nothing is watched."""
        return self._due

    def look(self) -> None:
        """Looks at every release that is watched, at most once in `every` seconds."""
        now = clock.monotonic()
        if self._due is not None and now < self._due:
            return
        with self.outside.database.read() as connection:
            found = bakes.watching(connection)
        self._due = now + self.every if found else None
        for name, bake in found:
            self._look_at(name, bake)

    def _look_at(self, name: str, bake: Bake) -> None:
        counts = self.outside.proxy.answers(name)
        with self.outside.database.write() as connection:
            app = apps.get(connection, name)
            crashes, last = bakes.crashes(connection, name, bake.started_at)
            after = replace(rules.counted(bake, counts), crashes=crashes)
            if app.release != bake.release or app.held or _someone_works(connection, app, bake):
                bakes.put(connection, replace(after, state=ENDED))
            elif reason := rules.verdict(after, _seconds(bake.started_at), last):
                self._fail(connection, app, replace(after, state=BAD, reason=reason))
            elif not bake.started_at <= clock.now() < bake.ends_at:  # before it: the clock was set back
                bakes.put(connection, replace(after, state=PASSED))
                events.add(connection, PLATFORM, "bake.passed", name, clock.now(), release=f"v{bake.release}", answers=after.answers)
            elif after != bake:
                bakes.put(connection, after)

    def _fail(self, connection: Connection, app: App, bake: Bake) -> None:
        """Says why it is bad and queues the way back, if there is one and nobody locked the app, in one transaction."""
        bakes.put(connection, bake)
        back = bake.back_to if app.lock is None else None
        told = {"release": f"v{bake.release}", "reason": bake.reason, "back_to": f"v{back}" if back else None}
        events.add(connection, PLATFORM, "bake.failed", app.name, clock.now(), **told)
        if back:
            operations.add(connection, app.name, "rollback", PLATFORM.name, {"to": back, "why": bake.reason}, clock.now())
            events.add(connection, PLATFORM, "rollback.requested", app.name, clock.now(), to=f"v{back}")
            self._woken()
        self.outside.platform_line(app.name, f"v{bake.release}", f"{bake.reason}; {_consequence(app, bake, back)}")


@dataclass(frozen=True)
class Window:
    """The watch that a release will have once it is live. `before` is what was answered until now: the measure for it, and
    where its own count begins."""

    app: App
    release: Release
    seconds: int
    back_to: int | None
    before: rules.Counts

    def open(self, connection: Connection) -> None:
        """In the transaction that makes the release current."""
        now = clock.parse(clock.now())
        times = (clock.text(now), clock.text(now + timedelta(seconds=self.seconds)))
        usual, seen = rules.share_of(self.before), dict(self.before)
        bakes.start(connection, Bake(self.app.id, self.release.number, self.back_to, *times, usual, seen=seen))


def wanted(outside: Outside, actor: Actor, app: App, release: Release) -> Window | None:
    """None when it is not to be watched, as a rollback of the platform's own, or that of a stopped app. One of a
    person has no way back: it would lead to what they left."""
    seconds = number(release.shape.checks, "bake", outside.settings.bake)
    if not seconds or app.stopped or actor.name == PLATFORM.name:
        return None
    with outside.database.read() as connection:
        earlier = releases.before(connection, app, release)
    back_to = earlier.number if earlier and not release.description.startswith("Rollback") else None
    return Window(app, release, seconds, back_to, outside.proxy.answers(app.name) if app.running else {})


def _someone_works(connection: Connection, app: App, bake: Bake) -> bool:
    """Whether an operation is under way, other than the one that made the release and may still run its scripts."""
    own = releases.get(connection, app, bake.release).operation
    return any(operation.id != own for operation in operations.open_of_app(connection, app.name))


def _consequence(app: App, bake: Bake, back: int | None) -> str:
    if back:
        return f"going back to v{back}"
    return "the app is locked, so it stays" if app.lock and bake.back_to else "there is no release to go back to, so it stays"


def _seconds(since: str) -> float:
    return max(0.0, (clock.parse(clock.now()) - clock.parse(since)).total_seconds())
