"""What `wherry ps` shows of memory and CPU, over a real database and an engine that answers as told."""

from pathlib import Path

import pytest

from wherry.errors import Unavailable
from wherry.metering.sample import EVERY, Measurement, Measurements, cpu_percent, sample_all
from wherry.model.instance import Instance
from wherry.running.engine import Sample
from wherry.store import instances
from wherry.store.database import Database

MB = 1024 * 1024


class Machine:
    """An engine whose containers use what it is told; it counts how often it was asked."""

    def __init__(self) -> None:
        self.samples: dict[str, Sample] = {}
        self.asked: list[str] = []
        self.answers = True

    def sample(self, container: str) -> Sample | None:
        self.asked.append(container)
        if not self.answers:
            raise Unavailable("the engine does not answer")
        return self.samples.get(container)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(tmp_path / "wherry.db")
    database.migrate()
    with database.write() as connection:
        for index in (1, 2):
            instances.put(connection, Instance("shop", "web", index, 1, "running", "t", container=f"c{index}"))
        instances.put(connection, Instance("shop", "worker", 1, 1, "crashed", "t"))
    return database


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.samples = {"c1": Sample(48 * MB, 256 * MB, 1.0), "c2": Sample(47 * MB, 256 * MB, 2.0)}
    return machine


def shown(database: Database) -> list[tuple[int | None, float | None]]:
    with database.read() as connection:
        return [(instance.memory, instance.cpu) for instance in instances.of_app(connection, "shop")]


def earlier(measurements: Measurements, seconds: float) -> Measurements:
    return {container: Measurement(found.at - seconds, found.sample) for container, found in measurements.items()}


def test_memory_shows_at_once_and_cpu_with_the_second_measurement(database: Database, machine: Machine) -> None:
    measured = sample_all(machine, database, {})
    assert shown(database) == [(48 * MB, None), (47 * MB, None), (None, None)]
    machine.samples["c1"] = Sample(50 * MB, 256 * MB, 1.0 + EVERY / 2)
    sample_all(machine, database, earlier(measured, EVERY))
    (first, second, worker) = shown(database)
    assert first[0] == 50 * MB
    assert first[1] == pytest.approx(50, abs=2)
    assert second == (47 * MB, 0.0)
    assert worker == (None, None)


def test_an_instance_is_not_measured_again_within_ten_seconds(database: Database, machine: Machine) -> None:
    measured = sample_all(machine, database, {})
    for _ in range(5):
        measured = sample_all(machine, database, measured)
    assert machine.asked == ["c1", "c2"]


def test_an_instance_that_is_gone_is_forgotten(database: Database, machine: Machine) -> None:
    measured = sample_all(machine, database, {})
    with database.write() as connection:
        instances.remove(connection, "shop", "web", 2)
    assert list(sample_all(machine, database, measured)) == ["c1"]


def test_an_engine_that_is_away_leaves_the_last_figures(database: Database, machine: Machine) -> None:
    measured = sample_all(machine, database, {})
    machine.answers = False
    machine.asked.clear()
    assert sample_all(machine, database, earlier(measured, EVERY)) == earlier(measured, EVERY)
    assert machine.asked == ["c1"]
    assert shown(database)[0] == (48 * MB, None)


def test_an_instance_that_does_not_run_keeps_no_new_figures(database: Database, machine: Machine) -> None:
    del machine.samples["c2"]
    assert list(sample_all(machine, database, {})) == ["c1"]


@pytest.mark.parametrize(
    ("seconds", "used", "percent"), [(10, 5, 50.0), (10, 0, 0.0), (10, 20, 200.0), (0, 1, None), (10, -3, None), (3, 1, 33.3)]
)
def test_cpu_is_percent_of_one_core(seconds: float, used: float, percent: float | None) -> None:
    before, after = Measurement(100, Sample(1, 2, 7)), Measurement(100 + seconds, Sample(1, 2, 7 + used))
    assert cpu_percent(before, after) == percent
