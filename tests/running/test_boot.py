"""When an instance is ready, and what a person reads when it never is: over instances in memory."""

from dataclasses import replace

import pytest

from engine_support import spec
from wherry.errors import DeployFailed
from wherry.model.check import HealthCheck
from wherry.running.boot import wait_until_ready
from wherry.running.engine import Observed
from wherry.running.memory_engine import MemoryEngine


@pytest.fixture
def engine() -> MemoryEngine:
    return MemoryEngine()


def ready(engine: MemoryEngine, seen: Observed, *checks: HealthCheck, timeout: float = 0.3) -> str:
    return wait_until_ready(engine, engine, seen, checks, timeout)


def refused(engine: MemoryEngine, seen: Observed, *checks: HealthCheck) -> str:
    with pytest.raises(DeployFailed) as failure:
        ready(engine, seen, *checks)
    assert failure.value.code == "R10"
    return failure.value.message.rpartition(" for ")[0]


def test_the_last_check_is_the_proof(engine: MemoryEngine) -> None:
    seen = engine.start(spec("good"))
    assert ready(engine, seen) == "listening on 5000"
    assert ready(engine, seen, HealthCheck("/a"), HealthCheck("/b", content="ok")) == "GET /b 200"
    assert ready(engine, seen, HealthCheck(listening=True)) == "listening on 5000"
    assert ready(engine, seen, HealthCheck(command=("test", "-f", "ready"))) == '"test -f ready" exited with 0'


def test_each_way_to_fail_a_check_is_named(engine: MemoryEngine) -> None:
    seen = engine.start(spec("good"))
    engine.answer(seen, 503, "/down")
    assert refused(engine, seen, HealthCheck("/down")) == "web.1 listens, but GET /down answered 503"
    assert refused(engine, seen, HealthCheck("/", content="42")) == 'web.1 listens, but GET / answered 200 without "42"'
    assert refused(engine, seen, HealthCheck(command=("false",))) == 'web.1 listens, but "false" exited with 1'
    assert refused(engine, seen, HealthCheck(command=("sleep", "9"), timeout=1)) == ('web.1 listens, but "sleep 9" did not end within 1 s')


def test_an_instance_must_be_up_as_long_as_its_check_says(engine: MemoryEngine) -> None:
    seen = engine.start(spec("good"))
    assert ready(engine, seen, HealthCheck(uptime=1)) == "up 1 s"


def test_a_worker_is_checked_once_it_has_settled(engine: MemoryEngine) -> None:
    seen = engine.start(spec("good", process="worker"))
    assert ready(engine, seen, HealthCheck(command=("true",))) == '"true" exited with 0'
    assert refused(engine, seen, HealthCheck(command=("false",))) == 'worker.1 runs, but "false" exited with 1'


def test_attempts_and_wait_say_how_long_a_check_may_fail(engine: MemoryEngine) -> None:
    seen = engine.start(spec("good"))
    engine.answer(seen, 503, "/down")
    with pytest.raises(DeployFailed, match=r"answered 503 for [1-9] s"):
        ready(engine, seen, HealthCheck("/down", attempts=1, wait=1), timeout=60)


def test_a_first_look_is_put_off_from_the_start_of_the_instance(engine: MemoryEngine) -> None:
    seen = engine.start(spec("good"))
    assert ready(engine, replace(seen, started_at="2026-01-01T00:00:00.000000Z"), HealthCheck("/", initial_delay=60)) == "GET / 200"
    assert ready(engine, seen, HealthCheck("/", initial_delay=1)) == "GET / 200"
