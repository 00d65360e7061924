"""Operations: looked at, followed to their end, cancelled."""

import threading

import pytest

from stored_platform import DEPLOYER, READER, deployed, event_types, finished
from wherry import clock
from wherry.errors import Conflict, Forbidden, NotFound
from wherry.services import formation, operations
from wherry.services.platform import Platform
from wherry.store import operations as store


def test_operations_are_listed_newest_first_and_by_app(platform: Platform) -> None:
    deployed(platform)
    deployed(platform, "blog")
    ids = [formation.restart(platform, DEPLOYER, name).id for name in ("shop", "blog", "shop")]
    assert [operation.id for operation in operations.recent(platform, READER)] == ids[::-1]
    assert [operation.id for operation in operations.recent(platform, READER, "shop")] == [ids[2], ids[0]]


def test_an_unknown_operation_is_not_found(platform: Platform) -> None:
    with pytest.raises(NotFound, match="no operation 7"):
        operations.get(platform, READER, 7)


def test_a_follower_gets_every_line_once_and_then_the_end(platform: Platform) -> None:
    deployed(platform)
    operation = formation.restart(platform, DEPLOYER, "shop")

    def work() -> None:
        for number in range(20):
            platform.operation_logs.write(operation.id, f"line {number}")
            clock.sleep(0.005)
        finished(platform, operation.id)
        platform.database.close()

    worker = threading.Thread(target=work)
    worker.start()
    lines = [line for line in operations.follow(platform, READER, operation.id) if line is not None]
    worker.join()
    assert lines == [f"line {number}" for number in range(20)]


def test_reading_goes_on_where_it_ended(platform: Platform) -> None:
    deployed(platform)
    operation = formation.restart(platform, DEPLOYER, "shop")
    platform.operation_logs.write(operation.id, "one ⛵")
    lines, offset = operations.log(platform, READER, operation.id)
    platform.operation_logs.write(operation.id, "two")
    assert lines == ["one ⛵"]
    assert operations.log(platform, READER, operation.id, offset)[0] == ["two"]


def test_a_queued_operation_is_cancelled_at_once(platform: Platform) -> None:
    deployed(platform)
    operation = formation.restart(platform, DEPLOYER, "shop")
    assert operations.cancel(platform, DEPLOYER, operation.id).state == "cancelled"
    assert event_types(platform)[-1] == "operation.cancelled"
    with pytest.raises(Conflict, match="was cancelled already") as refusal:
        operations.cancel(platform, DEPLOYER, operation.id)
    assert refusal.value.code == "operation_over"


def test_a_running_operation_is_asked_to_end(platform: Platform) -> None:
    deployed(platform)
    operation = formation.restart(platform, DEPLOYER, "shop")
    with platform.database.write() as connection:
        assert store.claim(connection, operation, "engine", clock.now())
    asked = operations.cancel(platform, DEPLOYER, operation.id)
    assert (asked.state, asked.progress) == ("running", {"cancel": "dora"})


def test_a_reader_may_not_cancel(platform: Platform) -> None:
    deployed(platform)
    operation = formation.restart(platform, DEPLOYER, "shop")
    with pytest.raises(Forbidden, match="may not cancel"):
        operations.cancel(platform, READER, operation.id)
