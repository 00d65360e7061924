"""The engine's heart: wakes on a hint or a tick, starts what waits, heals what differs from the wish."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable

from wherry import clock, hint
from wherry.errors import Conflict, Unavailable, WherryError
from wherry.reconciler import disk, fronts, report, storage
from wherry.reconciler.bakes import Bakes
from wherry.reconciler.certificates import Certificates
from wherry.reconciler.chronicle import Chronicle
from wherry.reconciler.converge import settle, wish_of
from wherry.reconciler.desired import desired_of
from wherry.reconciler.door import Door
from wherry.reconciler.drains import Drains
from wherry.reconciler.memory import Health
from wherry.reconciler.observe import observe
from wherry.reconciler.outside import Outside
from wherry.reconciler.plan import plan, route_of
from wherry.reconciler.runs import Runs
from wherry.reconciler.starved import Starved
from wherry.reconciler.sweep import sweep
from wherry.reconciler.watcher import Watcher
from wherry.reconciler.worker import Worker
from wherry.routing.proxy import Route
from wherry.running.engine import Happening, Observed
from wherry.store import apps, instances, operations, releases
from wherry.store import disk as store_disk

TICK = 5.0
"""Seconds between looks without a hint."""
HEAD_START = 0.05
"""Seconds without a look at all apps after an operation began: the hint was for it, and it needs this processor now."""
MEASURE_EVERY = 60.0
"""Seconds until a new volume has a size; `storage.MEASURE_EVERY` is how often it gets another one."""
GOODBYE = 5.0
"""Seconds that attached runs have to end when the engine does."""


class Loop:
    """One per engine process."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.worker = Worker(outside, self.ended)
        self.runs = Runs(outside, self.wake)
        self.tick = TICK
        self.certificates = Certificates(outside, self.wake)
        self.drains = Drains(outside)
        self.bakes = Bakes(outside, self.wake)
        self.chronicle = Chronicle(outside)
        self.watcher = Watcher(outside, self.wake)
        self.starved = Starved(outside)
        self._stopping, self._disk_asked = threading.Event(), threading.Event()
        self._next_look = 0.0

    def recover(self, proxy_may_start: Callable[[bool], None] = lambda absent: None) -> None:
        """Before anything is served: whose work is left over, what runs, and what the proxy may say from now on.

        `proxy_may_start` is called before the proxy is filled, with whether none runs yet.
        """
        self._refuse_an_empty_database(containers := self._containers())
        self.worker.recover()
        self.outside.engine.remove_one_offs()
        self.runs.recover()
        published = self._published()
        unready = self._unready() if published is not None else set()
        for seen in containers:
            if seen.running and self._proven(seen, published, unready):
                self.outside.memory.mark_ready(seen.id)
            if seen.running:
                self.outside.collector.add(seen.id, seen.app, seen.name)
        fronts.yield_default_hosts(self.outside)
        proxy_may_start(published is None)
        fronts.keep_pages(self.outside)
        self.outside.proxy.start(self._routes(containers))

    def _refuse_an_empty_database(self, containers: list[Observed]) -> None:
        """Containers are the second copy of the truth: where they run, a database that never knew an app is not ours."""
        with self.outside.database.read() as connection:
            known = apps.count(connection) or operations.recent(connection, limit=1)
        if containers and not known:
            names = ", ".join(sorted({seen.app for seen in containers}))
            raise Conflict(
                f"the database is empty, but containers of {names} are there",
                code="database_empty",
                hint=f"Put the right {self.outside.settings.database} back, or start afresh with: wherry uninstall --purge",
            )

    def _containers(self) -> list[Observed]:
        """What runs; waits for an engine that is still starting, as after a boot."""
        while True:
            try:
                return self.outside.engine.observe()
            except Unavailable as error:
                print(f"{error}", file=sys.stderr, flush=True)
                clock.sleep(1.0)

    def run(self) -> None:
        """Blocks until `stop`."""
        threading.Thread(target=self._listen, name="docker events", daemon=True).start()
        threading.Thread(target=self._sweep, name="sweep", daemon=True).start()
        self.worker.start_waiting()
        attach = Door(self.outside, self.runs)
        attach.open()
        with _door(self.outside) as door:
            while not self._stopping.is_set():
                self._turn()
                self._sleep(door)
        attach.close()
        self.watcher.stop()
        self.drains.stop()
        self.runs.close(GOODBYE)
        self.outside.database.close()

    def stop(self) -> None:
        self._stopping.set()
        self._disk_asked.set()
        self.wake()

    def wake(self) -> None:
        """A hint that something changed: look at once."""
        self._next_look = 0.0
        hint.give(self.outside.settings.engine_socket, hint.LOOK)

    def ended(self, changed: bool) -> None:
        """An operation is over, and the app's next one may begin. Everything is looked at if it may have `changed` what runs."""
        if changed:
            self.wake()
        else:
            hint.give(self.outside.settings.engine_socket, hint.WORK)

    def _turn(self) -> None:
        try:
            if self.worker.start_waiting():
                self._next_look = max(self._next_look, clock.monotonic() + HEAD_START)
            self.runs.look()
            self.bakes.look()
            if self._disk_wanted():
                self._disk_asked.set()
            if clock.monotonic() >= self._next_look:
                self._next_look = clock.monotonic() + self.tick
                self._heal()
        except (Unavailable, OSError) as error:  # Docker, the proxy or the disk: all of them come back
            print(f"{error}", file=sys.stderr, flush=True)
            self._next_look = clock.monotonic() + 1.0

    def _disk_wanted(self) -> bool:
        with self.outside.database.read() as connection:
            return store_disk.is_wanted(connection)

    def _sleep(self, door: socket.socket) -> None:
        now = clock.monotonic()
        bakes_due = self.bakes.next_due() or self._next_look
        times = [self._next_look, bakes_due, self.outside.memory.next_try() or self._next_look, self.runs.next_due() or self._next_look]
        wait = max(0.01, min(times) - now)
        if min(times) < self._next_look:
            self._next_look = min(times)
        door.settimeout(wait)
        try:
            while word := door.recv(64):
                door.settimeout(0.0)
                if word != hint.WORK:
                    self._next_look = min(self._next_look, clock.monotonic())
        except (TimeoutError, BlockingIOError):
            return

    def _heal(self) -> None:
        """Finds the apps whose world differs from their wish, and settles each in a thread of its own."""
        routes = fronts.refresh(self.outside, self.outside.proxy.routes())
        self.certificates.look()
        self.drains.look()
        self.chronicle.look()
        containers = self.outside.engine.observe()
        with self.outside.database.read() as connection:
            names = {app.name for app in apps.every(connection)}
        for name in names:
            mine = [seen for seen in containers if seen.app == name]
            if self._differs(name, mine, routes):
                threading.Thread(target=self._settle, args=(name,), name=f"heal {name}", daemon=True).start()
        self.starved.look(containers)
        self.watcher.keep({seen.id for seen in containers if seen.running})
        for stray in {seen.app for seen in containers if not self.outside.memory.is_moving(seen.app)} - names:
            self._remove_strays([seen for seen in containers if seen.app == stray])

    def _differs(self, name: str, containers: list[Observed], routes: dict[str, Route]) -> bool:
        """False while someone else moves the app: they see the difference themselves."""
        with self.outside.memory.alone_now(name) as free:
            desired = wish_of(self.outside, name) if free else None
            if desired is None:
                return False
            self.watcher.follow(desired, containers)
            return bool(plan(desired, observe(self.outside, desired, containers, routes)))

    def _settle(self, name: str) -> None:
        try:
            with self.outside.memory.alone_now(name) as free:
                if not free:
                    return
                before = fronts.wished(self.outside, name)
                settle(self.outside, name)
            if fronts.wished(self.outside, name) != before:
                self.wake()  # a look meanwhile could not bring it to an app that has no route yet
        except (WherryError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
        finally:
            self.outside.database.close()

    def _remove_strays(self, containers: list[Observed]) -> None:
        """Containers with our label whose app is not in the database any more."""
        for seen in containers:
            self.outside.engine.remove(seen.id)

    def _published(self) -> set[str] | None:
        """The targets that a running proxy serves, None when none runs: they were proven when they were published."""
        try:
            return {target.name for route in self.outside.proxy.routes().values() for target in route.targets}
        except Unavailable:
            return None

    def _unready(self) -> set[str]:
        """The containers that an earlier engine took out of the route because their checks failed."""
        with self.outside.database.read() as connection:
            found = {row.container: row.detail for row in instances.every(connection) if row.detail.startswith(report.NOT_READY)}
        for container, detail in found.items():
            self.outside.memory.note_health(container, Health(unready=detail.removeprefix(report.NOT_READY)))
        return set(found)

    def _proven(self, seen: Observed, published: set[str] | None, unready: set[str]) -> bool:
        """Whether it was ready before: the route says so, or the note that it was taken out of it."""
        if seen.port is None or seen.id in unready:
            return True
        if published is not None and seen.target in published:
            return True
        return published is None and bool(seen.address) and self.outside.look.listens(seen.address, seen.port, 0.5)

    def _routes(self, containers: list[Observed]) -> list[Route]:
        """Every app's route over those of its containers that are proven; during an interrupted switch, the old ones."""
        with self.outside.database.read() as connection:
            found = [(app, releases.running(connection, app)) for app in apps.every(connection)]
        routes = []
        for app, release in found:
            ready = [seen for seen in containers if seen.app == app.name and seen.running and self.outside.known(seen)]
            current = [seen for seen in ready if release and seen.image == release.build.image]
            serving = current or ready
            well = [seen for seen in serving if not self.outside.memory.health(seen.id).unready]
            routes.append(route_of(desired_of(app, release, self.outside.settings), well or serving))
        return routes

    def _sweep(self) -> None:
        """Clears up once an hour and looks at the sizes of volumes, not at once, since a start has better things to do; measures
        the disk after a deploy and whenever somebody asks."""
        every = float(self.outside.settings.sweep_every)
        next_sweep, next_sizes = clock.monotonic() + every, clock.monotonic() + MEASURE_EVERY
        while not self._stopping.is_set():
            self._disk_asked.wait(max(0.0, min(next_sweep, next_sizes) - clock.monotonic()))
            try:
                if clock.monotonic() >= next_sizes:
                    next_sizes = clock.monotonic() + MEASURE_EVERY
                    storage.measure(self.outside)
                if clock.monotonic() >= next_sweep:
                    next_sweep = clock.monotonic() + every
                    sweep(self.outside)
                    self._disk_asked.set()
                if self._disk_asked.is_set() and not self._stopping.is_set():
                    self._disk_asked.clear()
                    disk.collect(self.outside)
            except Exception as error:  # a full disk, a broken one: without this thread nothing would be cleared up any more
                print(f"sweep: {error or type(error).__name__}", file=sys.stderr, flush=True)

    def _listen(self) -> None:
        """Docker's events are hints: each wakes the loop; a broken stream is opened again."""
        while not self._stopping.is_set():
            try:
                for happening in self.outside.engine.happenings():
                    self.heard(happening)
            except Unavailable:
                self.wake()
            clock.sleep(1.0)

    def heard(self, happening: Happening) -> None:
        """What Docker told of one of our containers."""
        if happening.action == "oom":
            self.starved.heard(happening.container)
        if happening.action in ("die", "oom", "destroy") or (happening.action == "start" and self._is_news(happening.app)):
            self.wake()

    def _is_news(self, app: str) -> bool:
        """A start while somebody moves the app is theirs: looking at all apps would take processor time from the one that boots."""
        with self.outside.memory.alone_now(app) as free:
            return free


def _door(outside: Outside) -> socket.socket:
    """The socket that hints arrive at; group-writable, so that the API and the receiver can knock."""
    path = outside.settings.engine_socket
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    door.bind(str(path))
    path.chmod(0o660)
    return door
