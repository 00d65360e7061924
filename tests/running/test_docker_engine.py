"""What only a real engine shows: hardening, ends and their names, and what the kernel says about listeners."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from engine_support import docker_engine, spec
from waiting import until
from wherry.errors import DeployFailed, Unavailable
from wherry.model.check import HealthCheck
from wherry.routing import probe
from wherry.running import boot, listeners, processes
from wherry.running.docker_engine import DockerEngine
from wherry.running.engine import Observed

pytestmark = pytest.mark.engine


class Eyes:
    listens = staticmethod(probe.listens)
    fetch = staticmethod(probe.fetch)
    connect = staticmethod(probe.connect)
    witness = listeners.Witness
    listeners = staticmethod(listeners.listeners)
    cpu_seconds = staticmethod(processes.cpu_seconds)


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[DockerEngine, str]]:
    with docker_engine("real") as made:
        made[0].ensure_network("shop", "10.223.252.0/24")
        yield made


@pytest.fixture
def engine(made: tuple[DockerEngine, str]) -> DockerEngine:
    return made[0]


@pytest.fixture
def image(made: tuple[DockerEngine, str]) -> str:
    return made[1]


def wait(engine: DockerEngine, seen: Observed, timeout: float = 30, path: str | None = None) -> str:
    checks = (HealthCheck(path),) if path else ()
    try:
        return boot.wait_until_ready(engine, Eyes(), seen, checks, timeout)
    finally:
        engine.remove(seen.id)


def test_a_container_may_do_little(engine: DockerEngine, image: str) -> None:
    seen = engine.start(spec(image))
    facts = engine._api.inspect_container(seen.id)
    engine.remove(seen.id)
    host = facts["HostConfig"]
    assert host["CapDrop"] == ["ALL"] and not host["Privileged"] and host["Init"] is True
    assert host["SecurityOpt"] == ["no-new-privileges"] and host["PidsLimit"] == 512
    assert host["Memory"] == host["MemorySwap"] == 64 * 1024**2
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    assert not host["Binds"]


def test_the_limits_of_a_size_are_dockers_own(engine: DockerEngine, image: str) -> None:
    seen = engine.start(replace(spec(image, "sleep 60", "worker"), memory=48, share=256, cpu=0.5, pids=20))
    host = engine._api.inspect_container(seen.id)["HostConfig"]
    engine.remove(seen.id)
    assert (host["Memory"], host["MemorySwap"]) == (48 * 1024**2, 48 * 1024**2)
    assert (host["CpuShares"], host["NanoCpus"], host["PidsLimit"]) == (256, 500_000_000, 20)


def test_more_cores_than_the_machine_has_are_no_reason_to_refuse_a_start(engine: DockerEngine, image: str) -> None:
    engine.remove(engine.start(replace(spec(image, "sleep 60", "worker"), cpu=500.0)).id)


def test_processes_beyond_the_limit_can_not_be_started(engine: DockerEngine, image: str) -> None:
    line = "for i in $(seq 60); do sleep 5 & done; wait"
    ended = engine.run(replace(spec(image, line, "release", 0), pids=16), 30)
    assert any("fork" in said for said in ended.lines)


def test_no_config_var_stands_in_a_label_or_in_the_command(engine: DockerEngine, image: str) -> None:
    seen = engine.start(spec(image, "exec httpd -f -p $PORT", SECRET="canary-7731"))
    facts = engine._api.inspect_container(seen.id)
    engine.remove(seen.id)
    assert "canary-7731" not in str(facts["Config"]["Labels"]) + str(facts["Config"]["Cmd"]) + facts["Name"]


def test_ready_is_the_moment_it_listens(engine: DockerEngine, image: str) -> None:
    assert wait(engine, engine.start(spec(image))) == "listening on 5000"


def test_listening_without_accepting_is_not_ready(engine: DockerEngine, image: str) -> None:
    """As gunicorn's parent does while its workers load the app: the stopped server leaves visitors in the queue."""
    line = "httpd -p 5000 -h /www; sleep 0.3; kill -STOP $(pidof httpd); echo frozen; sleep 60"
    seen = engine.start(spec(image, line))
    until(lambda: "frozen" in engine.tail(seen.id))
    with pytest.raises(DeployFailed, match="accepted no connection") as failure:
        wait(engine, seen, timeout=1)
    assert failure.value.code == "R10"


def test_ready_is_the_moment_its_check_passes(engine: DockerEngine, image: str) -> None:
    assert wait(engine, engine.start(spec(image)), path="/index.html") == "GET /index.html 200"


def test_a_check_that_answers_wrongly_is_named(engine: DockerEngine, image: str) -> None:
    with pytest.raises(DeployFailed, match=r"web.1 listens, but GET /health answered 404 for 2 s") as failure:
        wait(engine, engine.start(spec(image)), timeout=2, path="/health")
    assert failure.value.code == "R10"


def test_listening_on_the_loopback_only_is_named(engine: DockerEngine, image: str) -> None:
    with pytest.raises(DeployFailed, match=r"opened no port within 2 s: it listens on 127.0.0.1:5000 only") as failure:
        wait(engine, engine.start(spec(image, "httpd -f -p 127.0.0.1:5000 -h /www")), timeout=2)
    assert failure.value.hint.startswith("Bind to 0.0.0.0:$PORT")


def test_listening_on_another_port_is_named(engine: DockerEngine, image: str) -> None:
    with pytest.raises(DeployFailed, match=r"listens on (0.0.0.0|::):8000, not on \$PORT \(5000\)"):
        wait(engine, engine.start(spec(image, "httpd -f -p 8000 -h /www")), timeout=2)


def test_an_exit_before_it_listened_is_told_with_its_last_lines(engine: DockerEngine, image: str) -> None:
    with pytest.raises(DeployFailed, match=r"web.1 exited with code 3 after \d+\.\d s before it opened port 5000") as failure:
        wait(engine, engine.start(spec(image, "echo no database; exit 3")))
    assert (failure.value.code, failure.value.evidence) == ("H10", ("no database",))


def test_out_of_memory_is_told_as_such(engine: DockerEngine, image: str) -> None:
    with pytest.raises(DeployFailed) as failure:
        wait(engine, engine.start(spec(image, "exec tail /dev/zero")), timeout=20)
    assert failure.value.code == "R14"


def test_a_process_in_a_living_instance_that_is_killed_for_memory_is_a_happening(engine: DockerEngine, image: str) -> None:
    heard: list[tuple[str, str]] = []
    enough = threading.Event()

    def listen() -> None:
        with suppress(Unavailable):
            for one in engine.happenings():
                heard.append((one.action, one.container))
                if enough.is_set():
                    return

    threading.Thread(target=listen, daemon=True).start()
    hog = "sh -c 'x=$(head -c 300000000 /dev/zero | tr \"\\0\" x)'"
    seen = engine.start(spec(image, f"while :; do {hog}; sleep 1; done", process="worker"))
    try:
        until(lambda: ("oom", seen.id) in list(heard))
        assert [one.running for one in engine.observe("shop") if one.id == seen.id] == [True]
    finally:
        enough.set()
        engine.remove(seen.id)


def test_a_command_that_is_not_in_the_image_is_named(engine: DockerEngine, image: str) -> None:
    with pytest.raises(DeployFailed, match=r"web.1 exited with code 127") as failure:
        wait(engine, engine.start(spec(image, "gunicorn app:app")))
    assert "gunicorn" in failure.value.evidence[0]


def test_a_worker_has_settled_when_it_waits(engine: DockerEngine, image: str) -> None:
    assert wait(engine, engine.start(spec(image, "sleep 60", "worker"))) == "running"


def test_a_worker_that_crashes_at_once_is_told(engine: DockerEngine, image: str) -> None:
    with pytest.raises(DeployFailed, match=r"worker.1 exited with code 1"):
        wait(engine, engine.start(spec(image, "sleep 0.05; exit 1", "worker")))


def test_sigterm_reaches_the_app_and_not_only_its_shell(engine: DockerEngine, image: str) -> None:
    seen = engine.start(spec(image, "A=1 sh -c 'trap \"echo bye; exit 0\" TERM; echo up; while :; do sleep 0.1; done'", "worker"))
    until(lambda: "up" in engine.tail(seen.id))
    assert engine.stop(seen.id, 10)
    assert engine.tail(seen.id)[-1] == "bye"
    engine.remove(seen.id)


def test_one_that_ignores_sigterm_is_killed_and_said_so(engine: DockerEngine, image: str) -> None:
    seen = engine.start(spec(image, "trap '' TERM; echo up; while :; do sleep 0.1; done", "worker"))
    until(lambda: "up" in engine.tail(seen.id))
    assert engine.stop(seen.id, 1) is False
    engine.remove(seen.id)


def test_a_one_off_that_takes_too_long_is_ended(engine: DockerEngine, image: str) -> None:
    with pytest.raises(DeployFailed, match="release did not end within 1 s"):
        engine.run(spec(image, "echo waiting; sleep 60", "release", 0), 1)


def test_evidence_is_read_without_its_colours(engine: DockerEngine, image: str) -> None:
    line = r"printf '\033[31m\033[1mWARNING\033[0m: bad\r\n\tmore\n'; exit 1"
    with pytest.raises(DeployFailed) as failure:
        wait(engine, engine.start(spec(image, line)))
    assert failure.value.evidence == ("WARNING: bad", "\tmore")
    assert engine.run(spec(image, line, "release", 0), 30).lines == ("WARNING: bad", "\tmore")
