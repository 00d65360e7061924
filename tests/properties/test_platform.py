"""A whole platform in one process, its engine, proxy and builder in memory: any order of pushes, changes, crashes and deaths of the
engine comes to rest with every invariant of docs/reliability.md that can be seen there."""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hypothesis_support import LONG
from platform_support import ADMIN, Machine, machine
from wherry import clock
from wherry.errors import Conflict, InvalidInput, NotFound
from wherry.model.operation import Operation
from wherry.reconciler.desired import desired_of
from wherry.routing.memory_proxy import MemoryProxy
from wherry.running.memory_engine import MemoryEngine
from wherry.services import apps, config_vars, formation, releases
from wherry.store import apps as stored_apps
from wherry.store import operations as stored_operations
from wherry.store import releases as stored_releases

APPS = ("shop", "blog")
names = st.sampled_from(APPS)
REFUSED = (Conflict, InvalidInput, NotFound)
"""What a person may be told instead: nothing to do, no release yet, something else waits. The world is as it was."""


class Mortal:
    """A port as one engine process has it: whoever uses it after that process was killed goes no further."""

    def __init__(self, port: object, killed: threading.Event) -> None:
        self._port, self._killed = port, killed

    def __getattr__(self, name: str) -> object:
        if self._killed.is_set():
            raise SystemExit
        return getattr(self._port, name)


class Platform(RuleBasedStateMachine):
    """What people ask for is queued and not waited for, so that wishes, faults and deaths meet in any order."""

    @initialize()
    def it_starts(self) -> None:
        self.hook = threading.excepthook
        threading.excepthook = lambda told: None if told.exc_type is SystemExit else self.hook(told)
        self.home = Path(tempfile.mkdtemp(prefix="wherry-property-"))
        self.engine, self.proxy = MemoryEngine(), MemoryProxy()
        self.trees = 0
        self.boot()

    def boot(self) -> None:
        self.stack, self.killed = ExitStack(), threading.Event()
        engine, proxy = (Mortal(port, self.killed) for port in (self.engine, self.proxy))
        self.here: Machine = self.stack.enter_context(machine(self.home, engine, proxy))  # type: ignore[arg-type]

    def kill(self) -> None:
        """As by `kill -9`: what works on an operation ends at its next word with Docker or the proxy."""
        self.stack.close()
        self.killed.set()
        for thread in threading.enumerate():
            if thread.name.startswith("operation "):
                thread.join(20)
                assert not thread.is_alive(), f"{thread.name} does not end"

    # wishes

    @rule(app=names, image=st.sampled_from(["good", "good2", "crash", "nosuch"]), worker=st.booleans())
    def pushed(self, app: str, image: str, worker: bool) -> None:
        self.trees = self.trees % 9 + 1
        words = {"image": image, "web": "run", **({"worker": "run"} if worker else {})}
        self.wish(lambda: self.here.begin(app, str(self.trees), **words))

    @rule(app=names)
    def pushed_what_does_not_build(self, app: str) -> None:
        self.trees = self.trees % 9 + 1
        self.wish(lambda: self.here.begin(app, str(self.trees), fail="pip said no"))

    @rule(app=names, quantity=st.integers(0, 3))
    def scaled(self, app: str, quantity: int) -> None:
        self.wish(lambda: formation.scale(self.here.services, ADMIN, app, {"web": quantity}))

    @rule(app=names, value=st.sampled_from(["a", "b", None]))
    def configured(self, app: str, value: str | None) -> None:
        self.wish(lambda: config_vars.change(self.here.services, ADMIN, app, {"COLOUR": value}))

    @rule(app=names)
    def restarted(self, app: str) -> None:
        self.wish(lambda: formation.restart(self.here.services, ADMIN, app))

    @rule(app=names)
    def rolled_back(self, app: str) -> None:
        self.wish(lambda: releases.rollback(self.here.services, ADMIN, app, None))

    @rule(app=names)
    def stopped(self, app: str) -> None:
        self.wish(lambda: formation.stop(self.here.services, ADMIN, app))

    @rule(app=names)
    def started(self, app: str) -> None:
        self.wish(lambda: formation.start(self.here.services, ADMIN, app))

    def wish(self, ask: object) -> None:
        with suppress(*REFUSED):
            ask()  # type: ignore[operator]

    # faults

    @rule()
    def the_engine_dies(self) -> None:
        self.kill()
        self.boot()

    @rule()
    def the_power_is_cut(self) -> None:
        self.kill()
        self.engine.reboot()
        self.proxy = MemoryProxy()
        self.boot()

    @rule(which=st.integers(0, 9))
    def an_instance_crashes(self, which: int) -> None:
        found = [seen for seen in self.engine.observe() if seen.running]
        if found:
            self.engine.die(found[which % len(found)].id)

    @rule(milliseconds=st.sampled_from([1, 20, 200]))
    def time_goes_by(self, milliseconds: int) -> None:
        clock.sleep(milliseconds / 1000)

    # the end

    def teardown(self) -> None:
        if not hasattr(self, "here"):
            return
        try:
            self.here.until(lambda: not self.violations())
            assert self.violations() == []
        except AssertionError:
            raise AssertionError("; ".join(self.violations())) from None
        finally:
            self.kill()
            threading.excepthook = self.hook
            shutil.rmtree(self.home, ignore_errors=True)

    def violations(self) -> list[str]:
        found = [f"I3 operation {one.id} ({one.kind} of {one.app}) is {one.state}" for one in self.operations() if not one.done]
        for route in self.proxy.routes().values():
            owners = {seen.target: seen.app for seen in self.engine.observe()}
            found += [f"I2 {route.app} is sent to {target.name}" for target in route.targets if owners.get(target.name) != route.app]
        for app in apps.every(self.here.services, ADMIN):
            found += self.wrong_of(app.name)
        return found

    def wrong_of(self, name: str) -> list[str]:
        """I1, I4 and I5 of one app: what is wished runs, each with the image of its release, and that is what visitors get."""
        with self.here.outside.database.read() as connection:
            app = stored_apps.get(connection, name)
            release = stored_releases.running(connection, app)
        wish = desired_of(app, release, self.here.services.settings)
        seen, route = self.engine.observe(name), self.proxy.routes().get(name)
        wished = sorted((spec.name, spec.image, spec.fingerprint) for spec in wish.specs)
        runs = sorted((one.name, one.image, one.fingerprint) for one in seen if one.running)
        served = sorted(target.name for target in route.targets) if route else []
        expected = sorted(one.target for one in seen if one.type == "web" and one.running)
        found = [] if runs == wished and len(runs) == len(seen) else [f"I5 {name} runs {runs}, and wished is {wished}"]
        return found + ([] if served == expected else [f"I1 {name} is served by {served}, and {expected} run"])

    def operations(self) -> list[Operation]:
        with self.here.outside.database.read() as connection:
            return [one for name in APPS for one in stored_operations.recent(connection, name)]


TestPlatform = pytest.mark.slow(Platform.TestCase)
TestPlatform.settings = settings(max_examples=200 if LONG else 20, stateful_step_count=20, deadline=None)
