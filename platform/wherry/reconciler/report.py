"""Writes down what happened to instances, where people and other processes look: the database and the app's log."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from wherry import clock
from wherry.model.instance import Instance
from wherry.model.limits import more
from wherry.model.run import TYPE as ONE_OFF
from wherry.model.user import PLATFORM
from wherry.reconciler.desired import Desired
from wherry.reconciler.memory import NEVER, Crashes
from wherry.reconciler.observed import World
from wherry.reconciler.outside import Outside
from wherry.running.engine import Observed
from wherry.store import apps, events, instances

NOT_READY = "not ready: "
"""How the detail of an instance begins that gets no visitors."""


def starting(outside: Outside, container: Observed) -> None:
    _put(outside, container, "starting")


def running(outside: Outside, container: Observed) -> None:
    _put(outside, container, "running")
    outside.platform_line(container.app, container.name, "State changed from starting to up")


def crashed(outside: Outside, container: Observed, crashes: Crashes, reason: str) -> None:
    """`reason` says how it ended; the wait before the next try is told with it."""
    seconds = crashes.wait_until - clock.monotonic()
    waits = 1 <= seconds < NEVER
    again = f", next try in {seconds:.0f} s" if waits else ""
    next_try = clock.text(clock.parse(clock.now()) + timedelta(seconds=seconds)) if waits else ""
    was = "up" if outside.memory.is_ready(container.id) else "starting"
    _put(outside, container, "crashed", detail=reason, restarts=crashes.count, next_try=next_try)
    outside.platform_line(container.app, container.name, f"State changed from {was} to crashed: {reason}{again}")
    with outside.database.write() as connection:
        events.add(connection, PLATFORM, "instance.crashed", container.app, clock.now(), instance=container.name, reason=reason)


def unready(outside: Outside, container: Observed, words: str) -> None:
    """Its readiness checks fail; `words` says which and how."""
    _tell(outside, container, f"{NOT_READY}{words}", "instance.unready", f"State changed from up to not ready: {words}", reason=words)


def ready_again(outside: Outside, container: Observed, words: str) -> None:
    _tell(outside, container, "", "instance.ready", f"State changed from not ready to up: {words}")


def unhealthy(outside: Outside, container: Observed, crashes: Crashes, words: str) -> None:
    """Its liveness checks fail, so another takes its place; the wait before that is told with it."""
    seconds = crashes.wait_until - clock.monotonic()
    when = f"in {seconds:.0f} s" if seconds >= 1 else "now"
    line = f"State changed from up to unhealthy: {words}; it is replaced {when}"
    _tell(outside, container, f"unhealthy: {words}; replaced {when}", "instance.unhealthy", line, reason=words)


def healthy_again(outside: Outside, container: Observed, words: str) -> None:
    _tell(outside, container, "", "instance.healthy", f"State changed from unhealthy to up: {words}")


def _tell(outside: Outside, container: Observed, detail: str, event: str, line: str, **data: str) -> None:
    outside.platform_line(container.app, container.name, line)
    with outside.database.write() as connection:
        instances.tell(connection, container.id, detail)
        events.add(connection, PLATFORM, event, container.app, clock.now(), instance=container.name, **data)


def starved(outside: Outside, container: Observed, count: int) -> None:
    """Processes in it were killed for want of memory, and the instance itself goes on."""
    whom = "a process in it was" if count == 1 else f"{count} processes in it were"
    line = f"R14 {whom} killed, out of memory ({container.memory} MB); the instance goes on. {_advice(outside, container)}"
    outside.platform_line(container.app, container.name, line)
    with outside.database.write() as connection:
        events.add(connection, PLATFORM, "instance.starved", container.app, clock.now(), instance=container.name, killed=count)


def _advice(outside: Outside, container: Observed) -> str:
    return f"Give it more: {outside.settings.name} ps:type {container.app} {more(container.type, container.memory)}"


def ending(outside: Outside, container: Observed) -> str:
    """One phrase for how a dead container ended, with its last line when that helps."""
    if container.oom:
        advice = _advice(outside, container)
        return f"R14 ran out of memory ({container.memory} MB); {advice[0].lower()}{advice[1:]}"
    last = outside.engine.tail(container.id, 1)
    said = f": {last[-1].strip()[:120]}" if last and container.exit_code else ""
    return f"exit {container.exit_code}{said}"


def killed(outside: Outside, container: Observed, grace: int) -> None:
    outside.platform_line(container.app, container.name, f"R12 did not end within {grace} s of SIGTERM: killed")


def left(outside: Outside, container: Observed) -> None:
    """The instance ended because it was told to. Its row goes, or says so when a person stopped just this one; a row
    that another container has taken over is not ours."""
    outside.platform_line(container.app, container.name, "Stopped")
    with outside.database.write() as connection:
        row = next((row for row in instances.of_app(connection, container.app) if row.container == container.id), None)
        app = apps.find(connection, container.app)
        if row and app and app.holds(row.type, row.index) and not app.stopped:
            instances.put(connection, replace(row, state="stopped", since=clock.now(), container="", memory=None, cpu=None, detail=""))
        elif row:
            instances.remove(connection, row.app, row.type, row.index)


def _put(
    outside: Outside, container: Observed, state: str, detail: str = "", restarts: int | None = None, next_try: str = "", since: str = ""
) -> None:
    known = outside.memory.crashes(container.app, (container.type, container.index))
    # Crashes of another release's instance, whose deploy failed, are not this one's.
    count = restarts if restarts is not None else known.count if known.fingerprint == container.fingerprint else 0
    row = Instance(
        app=container.app,
        type=container.type,
        index=container.index,
        release=container.release,
        state=state,
        since=since or clock.now(),
        container=container.id,
        address=container.address,
        restarts=count,
        detail=detail,
        next_try=next_try,
    )
    with outside.database.write() as connection:
        instances.put(connection, row)


def _started(container: Observed) -> str:
    """When it began to run; empty when the engine does not say. Docker counts nanoseconds."""
    return clock.text(datetime.fromisoformat(container.started_at)) if container.started_at else ""


def refresh(outside: Outside, desired: Desired, world: World) -> None:
    """Makes the app's rows say what is seen, once nothing is left to do: a failed deploy's rows give way to the truth."""
    up = {seen.slot: seen.container for seen in world.seen if seen.ready and seen.container.running and not seen.leaving}
    wished = {(spec.type, spec.index) for spec in desired.specs}
    with outside.database.read() as connection:
        rows = {(row.type, row.index): row for row in instances.of_app(connection, desired.app)}
    for slot, container in up.items():
        if slot not in rows or rows[slot].container != container.id:
            _put(outside, container, "running", since=_started(container))
    stale = [slot for slot in rows if slot not in up and slot not in wished and slot not in desired.held and slot[0] != ONE_OFF]
    if stale:
        with outside.database.write() as connection:
            for process_type, index in stale:
                instances.remove(connection, desired.app, process_type, index)
