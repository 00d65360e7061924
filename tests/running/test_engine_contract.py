"""What every engine promises, asked of the fake and of a real Docker."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine_support import docker_engine, spec
from wherry.errors import Conflict, DeployFailed, NotFound
from wherry.model.run import Screen
from wherry.running.conversation import Conversation, Demultiplexer
from wherry.running.engine import Engine, InstanceSpec, VolumeMount
from wherry.running.memory_engine import MemoryEngine

SUBNET, OTHER_SUBNET = "10.223.250.0/24", "10.223.251.0/24"


@pytest.fixture(params=["memory", pytest.param("docker", marks=pytest.mark.engine)], scope="module")
def engines(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, str]]:
    if request.param == "memory":
        yield MemoryEngine(), "good"
        return
    with docker_engine("contract") as made:
        yield made


@pytest.fixture
def engine(engines: tuple[Engine, str]) -> Iterator[Engine]:
    made, _ = engines
    made.ensure_network("shop", SUBNET)
    yield made
    for seen in made.observe():
        made.remove(seen.id)
    made.remove_network("shop")


@pytest.fixture
def image(engines: tuple[Engine, str]) -> str:
    return engines[1]


def test_a_started_instance_is_seen_with_what_it_was_started_for(engine: Engine, image: str) -> None:
    wished = spec(image)
    started = engine.start(wished)
    (seen,) = engine.observe("shop")
    assert seen == started
    assert (seen.app, seen.name, seen.release, seen.fingerprint, seen.image) == ("shop", "web.1", 1, wished.fingerprint, image)
    assert seen.running and seen.address.startswith("10.") and seen.port == 5000 and seen.pid > 0
    assert seen.memory == wished.memory


def test_an_instance_that_was_stopped_is_seen_dead_and_is_gone_when_removed(engine: Engine, image: str) -> None:
    started = engine.start(spec(image))
    assert engine.stop(started.id, 5)
    (seen,) = engine.observe("shop")
    assert not seen.running and seen.address == "" and seen.exit_code is not None
    engine.remove(started.id)
    assert engine.observe("shop") == []


def test_an_absent_container_counts_as_stopped_removed_and_silent(engine: Engine) -> None:
    engine.remove("f" * 64)
    assert engine.stop("f" * 64, 1)
    assert engine.tail("f" * 64) == []


def test_an_image_that_is_gone_is_named(engine: Engine) -> None:
    absent = "sha256:" + "0" * 64
    assert not engine.image_exists(absent)
    with pytest.raises(DeployFailed, match="the image of shop v1 is gone"):
        engine.start(spec(absent))
    assert engine.observe("shop") == []


def test_a_network_is_made_once_and_a_subnet_belongs_to_one_app(engine: Engine) -> None:
    engine.ensure_network("shop", SUBNET)
    with pytest.raises(Conflict):
        engine.ensure_network("blog", SUBNET)
    engine.ensure_network("blog", OTHER_SUBNET)
    engine.remove_network("blog")
    engine.remove_network("blog")


def test_a_one_off_command_runs_to_its_end_and_leaves_nothing(engine: Engine, image: str) -> None:
    lines: list[str] = []
    ended = engine.run(spec(image, "echo hello", "release", 0), 20, lines.append)
    assert ended.exit_code == 0
    assert any("hello" in line for line in lines)
    assert engine.observe("shop") == []


def test_a_sample_tells_memory_and_its_limit(engine: Engine, image: str) -> None:
    started = engine.start(spec(image))
    sample = engine.sample(started.id)
    assert sample is not None and 0 < sample.memory <= sample.memory_limit


def said(talk: Conversation) -> bytes:
    """What the program wrote to its standard output, until it ended."""
    data = talk.early + b"".join(iter(lambda: talk.line.recv(65536), b""))
    return data if talk.tty else b"".join(text for _, text in Demultiplexer().feed(data))


def test_a_conversation_ends_with_its_input_and_leaves_nothing(engine: Engine, image: str) -> None:
    talk = engine.converse(spec(image, "cat", "run"), None)
    talk.begin()
    talk.line.sendall(b"hello")
    talk.line.shutdown(socket.SHUT_WR)
    assert (said(talk), talk.ending().exit_code) == (b"hello", 0)
    talk.close()
    assert engine.observe("shop") == engine.detached("shop") == []


def test_a_conversation_is_killed_whatever_it_does(engine: Engine, image: str) -> None:
    talk = engine.converse(spec(image, "trap '' TERM HUP; while :; do sleep 1; done", "run"), Screen())
    talk.begin()
    talk.kill()
    assert (said(talk), talk.ending().exit_code) == (b"", 137)
    talk.kill()
    talk.close()
    talk.close()


def test_a_program_that_has_not_begun_hears_no_signal(engine: Engine, image: str) -> None:
    talk = engine.converse(spec(image, "cat", "run"), None)
    talk.signal("TERM")
    talk.begin()
    talk.line.sendall(b"hello")
    talk.line.shutdown(socket.SHUT_WR)
    assert (said(talk), talk.ending().exit_code) == (b"hello", 0)
    talk.close()


def test_what_is_asked_to_end_the_moment_it_begins_ends(engine: Engine, image: str) -> None:
    talk = engine.converse(spec(image, "exec sleep 1000", "run"), None)
    talk.begin()
    talk.signal("TERM")
    assert (said(talk), talk.ending().exit_code) == (b"", 143)
    talk.close()


def test_what_is_stopped_the_moment_it_starts_needs_no_kill(engine: Engine, image: str) -> None:
    assert engine.stop(engine.start(spec(image, "exec sleep 1000")).id, 300)


def test_only_what_runs_can_be_entered(engine: Engine, image: str) -> None:
    started = engine.start(spec(image))
    talk = engine.enter(started.id, ["cat"], None)
    talk.begin()
    talk.line.sendall(b"inside")
    talk.line.shutdown(socket.SHUT_WR)
    assert said(talk) == b"inside"
    talk.close()
    engine.stop(started.id, 5)
    with pytest.raises(NotFound):
        engine.enter(started.id, ["cat"], None)


def test_a_command_inside_an_instance_is_told_by_its_exit_and_ended_when_its_time_is_over(engine: Engine, image: str) -> None:
    started = engine.start(spec(image))
    done = engine.execute(started.id, ["/bin/sh", "-c", "echo fine"], 20)
    assert (done.exit_code, done.lines) == (0, ("fine",))
    assert engine.execute(started.id, ["/bin/sh", "-c", "false"], 20).exit_code == 1
    assert engine.execute(started.id, ["sleep", "60"], 0.2).exit_code is None
    engine.stop(started.id, 5)
    with pytest.raises(NotFound):
        engine.execute(started.id, ["/bin/sh", "-c", "true"], 5)


def test_a_detached_one_off_is_no_instance_and_stays_until_it_is_removed(engine: Engine, image: str) -> None:
    started = engine.start_detached(spec(image, "sleep 60", "run"))
    engine.remove_one_offs("shop")
    assert engine.observe("shop") == []
    assert [seen.id for seen in engine.detached("shop")] == [started.id]
    engine.stop(started.id, 5)
    (seen,) = engine.detached("shop")
    assert not seen.running
    engine.remove_one_offs("shop", detached=True)
    assert engine.detached("shop") == []


def with_volume(image: str, command: str = "", read_only: bool = False, index: int = 1) -> InstanceSpec:
    mount = VolumeMount("uploads", f"contract-uploads-{os.getpid()}", "/srv/uploads", read_only, alone=True)
    return replace(spec(image, command, "worker", index), mounts=(mount,))


@pytest.fixture
def volume(engine: Engine) -> Iterator[str]:
    source = with_volume("").mounts[0].source
    yield source
    for seen in engine.observe():
        engine.remove(seen.id)
    engine.remove_volume(source)


def test_a_volume_is_made_for_who_mounts_it_and_outlives_them(engine: Engine, image: str, volume: str) -> None:
    assert engine.volume_size(volume) is None
    first = engine.start(with_volume(image, "sleep 60"))
    assert first.writes == {volume} and engine.observe("shop") == [first]
    engine.remove(first.id)
    size = engine.volume_size(volume)
    assert size is not None and size >= 0
    engine.remove_volume(volume)
    assert engine.volume_size(volume) is None


def test_a_volume_in_use_is_not_removed_and_an_absent_one_is_fine(engine: Engine, image: str, volume: str) -> None:
    engine.start(with_volume(image, "sleep 60"))
    with pytest.raises(Conflict, match="in use"):
        engine.remove_volume(volume)
    engine.remove_volume("contract-never-made")


def test_who_only_reads_a_volume_is_not_among_its_writers(engine: Engine, image: str, volume: str) -> None:
    assert engine.start(with_volume(image, "sleep 60", read_only=True)).writes == frozenset()
