"""What instances use, measured every ten seconds and written beside them: memory in bytes, CPU in percent of one core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wherry import clock
from wherry.errors import Unavailable
from wherry.running.engine import Sample
from wherry.store import instances
from wherry.store.database import Database

EVERY = 10.0
"""Seconds between two measurements of an instance."""


class Measured(Protocol):
    """The part of an engine that is needed here."""

    def sample(self, container: str) -> Sample | None: ...


@dataclass(frozen=True)
class Measurement:
    """A sample and the moment (monotonic seconds) at which it was asked for."""

    at: float
    sample: Sample


Measurements = dict[str, Measurement]
"""The last measurement of each container, by its id. Start with an empty one."""


def cpu_percent(before: Measurement, after: Measurement) -> float | None:
    """CPU used between two measurements in percent of one core, one decimal. None when no time lies between them, or
    when the container was started again and counts from zero."""
    seconds = after.at - before.at
    used = after.sample.cpu_seconds - before.sample.cpu_seconds
    if seconds <= 0 or used < 0:
        return None
    return round(100 * used / seconds, 1)


def sample_all(engine: Measured, database: Database, previous: Measurements) -> Measurements:
    """Measures the instances that run and were not measured within the last ten seconds, writes what was found in one
    short transaction, and returns what the next call needs. May be called at any rate. An engine that does not answer
    leaves the rest for the next call."""
    with database.read() as connection:
        running = [each for each in instances.every(connection) if each.container and each.state != "crashed"]
    containers = {instance.container for instance in running}
    known = {container: measurement for container, measurement in previous.items() if container in containers}
    fresh = _measure(engine, [each for each in sorted(containers) if _is_due(known.get(each))])
    if fresh:
        _write(database, known, fresh)
    return {**known, **fresh}


def _is_due(last: Measurement | None) -> bool:
    return last is None or clock.monotonic() - last.at >= EVERY


def _measure(engine: Measured, containers: list[str]) -> Measurements:
    found: Measurements = {}
    for container in containers:
        at = clock.monotonic()
        try:
            sample = engine.sample(container)
        except Unavailable:
            break
        if sample is not None:
            found[container] = Measurement(at, sample)
    return found


def _write(database: Database, known: Measurements, fresh: Measurements) -> None:
    with database.write() as connection:
        for container, now in fresh.items():
            before = known.get(container)
            cpu = None if before is None else cpu_percent(before, now)
            instances.sample(connection, container, now.sample.memory, now.sample.memory_limit, cpu)
