"""Collecting what instances print: against a small server that speaks Docker's protocol, and against a real engine."""

import json
import resource
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from docker_log_server import Container, DockerLogServer
from waiting import until
from wherry.model.log_line import CUT_MARK
from wherry.running import log_source
from wherry.running.log_collector import LogCollector
from wherry.running.log_source import LONG_PATIENCE, PATIENCE
from wherry.store.app_logs import AppLogs

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DockerLogServer]:
    with DockerLogServer(tmp_path / "docker.sock") as server:
        yield server


@pytest.fixture
def logs(tmp_path: Path) -> AppLogs:
    return AppLogs(tmp_path / "apps")


@pytest.fixture
def collector(tmp_path: Path, server: DockerLogServer, logs: AppLogs) -> Iterator[LogCollector]:
    collector = LogCollector(str(server.path), logs, tmp_path / "positions.json")
    collector.start()
    yield collector
    collector.stop()


def texts(logs: AppLogs, app: str = "shop", **wanted: str) -> list[str]:
    return [line.split("]: ", 1)[1] for line in logs.tail(app, 1_000_000, **wanted)]


def noted(folder: Path) -> list[str] | None:
    """The containers whose positions a restart would find."""
    path = folder / "positions.json"
    return list(json.loads(path.read_text())) if path.exists() else None


def numbered(first: int, last: int) -> list[str]:
    return [f"line {number}" for number in range(first, last)]


def test_lines_arrive_as_they_are_printed_with_their_time_and_process(
    server: DockerLogServer, collector: LogCollector, logs: AppLogs
) -> None:
    container = server.container("c1")
    container.write("first")
    collector.add("c1", "shop", "web.1")
    until(lambda: texts(logs) == ["first"])
    container.write("second", output=2)
    until(lambda: len(texts(logs)) == 2)
    assert logs.tail("shop", 1) == ["2027-01-15T08:00:00.002000Z app[web.1]: second"]


def test_adding_a_container_twice_shows_its_lines_once(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    server.container("c1").write(*numbered(0, 100))
    for _ in range(3):
        collector.add("c1", "shop", "web.1")
    assert collector.finish("c1", 60)
    assert texts(logs) == numbered(0, 100)


def test_a_last_line_without_a_newline_is_there_when_a_crashed_instance_is_removed(
    server: DockerLogServer, collector: LogCollector, logs: AppLogs
) -> None:
    container = server.container("c1")
    collector.add("c1", "shop", "web.1")
    container.write("Traceback")
    container.write_without_newline(b"KeyError: 'PORT'")
    container.exit()
    assert collector.finish("c1", 60)
    del server.containers["c1"]
    assert texts(logs) == ["Traceback", "KeyError: 'PORT'"]


def test_finishing_a_running_instance_waits_for_what_it_printed_so_far(
    server: DockerLogServer, collector: LogCollector, logs: AppLogs
) -> None:
    container = server.container("c1")
    collector.add("c1", "shop", "web.1")
    container.write(*numbered(0, 5_000))
    assert collector.finish("c1", 60)
    assert texts(logs) == numbered(0, 5_000)
    container.write("and on")
    until(lambda: texts(logs)[-1] == "and on")
    assert texts(logs) == [*numbered(0, 5_000), "and on"]


def test_finishing_an_unknown_or_vanished_instance_does_not_wait(server: DockerLogServer, collector: LogCollector) -> None:
    collector.add("gone", "shop", "web.1")
    assert collector.finish("gone", 60)
    assert collector.finish("never-seen", 60)


def test_finishing_gives_up_in_time_when_the_engine_is_away(server: DockerLogServer, collector: LogCollector) -> None:
    server.container("c1")
    collector.add("c1", "shop", "web.1")
    server.stop()
    started = time.monotonic()
    assert not collector.finish("c1", 0.3)
    assert time.monotonic() - started < 30


def test_a_new_collector_goes_on_where_the_last_one_stopped(server: DockerLogServer, logs: AppLogs, tmp_path: Path) -> None:
    container = server.container("c1")
    for start in range(0, 3_000, 500):
        container.write(*numbered(start, start + 250))
        collector = LogCollector(str(server.path), logs, tmp_path / "positions.json")
        collector.start()
        collector.add("c1", "shop", "web.1")
        container.write(*numbered(start + 250, start + 500))
        if start % 1_000:
            assert collector.finish("c1", 60)
        collector.stop()
    collector = LogCollector(str(server.path), logs, tmp_path / "positions.json")
    collector.start()
    assert collector.finish("c1", 60)
    collector.stop()
    assert texts(logs) == numbered(0, 3_000)


def test_two_outputs_that_overtake_each_other_are_each_kept_over_a_restart(server: DockerLogServer, logs: AppLogs, tmp_path: Path) -> None:
    container = server.container("c1")
    for start in range(0, 400, 100):
        collector = LogCollector(str(server.path), logs, tmp_path / "positions.json")
        collector.start()
        collector.add("c1", "shop", "web.1")
        for number in range(start, start + 100, 2):
            container.write(f"out {number}", step=3_000_000)
            container.write(f"err {number}", output=2, step=-2_000_000)
        assert collector.finish("c1", 60)
        collector.stop()
    assert sorted(texts(logs)) == sorted(f"{kind} {number}" for kind in ("out", "err") for number in range(0, 400, 2))


def test_a_killed_engine_neither_loses_nor_doubles_a_line(server: DockerLogServer, tmp_path: Path) -> None:
    container = server.container("c1")
    program = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from wherry.running.log_collector import LogCollector
        from wherry.store.app_logs import AppLogs
        logs = AppLogs(Path({str(tmp_path / "apps")!r}))
        collector = LogCollector({str(server.path)!r}, logs, Path({str(tmp_path / "positions.json")!r}))
        collector.start()
        collector.add("c1", "shop", "web.1")
        print("up", flush=True)
        while True:
            logs.platform_line("shop", "web.1", "between")
            time.sleep(0.01)
    """)
    written = 0
    for round_ in range(5):
        environment = {"PYTHONPATH": str(TESTS.parent / "platform")}
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment)
        assert child.stdout is not None
        child.stdout.readline()
        for _ in range(30 + 17 * round_):
            container.write(*numbered(written, written + 20))
            written += 20
            time.sleep(0.01)
        child.kill()
        child.wait()
        child.stdout.close()
    logs = AppLogs(tmp_path / "apps")
    collector = LogCollector(str(server.path), logs, tmp_path / "positions.json")
    collector.start()
    assert collector.finish("c1", 60)
    collector.stop()
    assert texts(logs, source="app") == numbered(0, written)


def test_an_engine_restart_is_survived(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    container = server.container("c1")
    collector.add("c1", "shop", "web.1")
    for start in range(0, 400, 100):
        container.write(*numbered(start, start + 50))
        server.stop()
        container.write(*numbered(start + 50, start + 100))
        time.sleep(0.15)
        server.start()
    until(lambda: len(texts(logs)) >= 400)
    assert texts(logs) == numbered(0, 400)


def test_a_container_that_is_started_again_goes_on(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    container = server.container("c1")
    collector.add("c1", "shop", "web.1")
    container.write("first life")
    container.exit()
    assert collector.finish("c1", 60)
    container.running = True
    collector.add("c1", "shop", "web.1")
    container.write("second life")
    until(lambda: texts(logs) == ["first life", "second life"])


def test_a_discarded_container_is_read_to_its_end_and_then_forgotten(
    server: DockerLogServer, collector: LogCollector, logs: AppLogs, tmp_path: Path
) -> None:
    container = server.container("c1")
    collector.add("c1", "shop", "web.1")
    container.write(*numbered(0, 1_000))
    container.exit()
    collector.discard("c1")
    until(lambda: texts(logs) == numbered(0, 1_000))
    until(lambda: noted(tmp_path) == [])


def test_a_vanished_container_is_forgotten(server: DockerLogServer, collector: LogCollector, tmp_path: Path) -> None:
    container = server.container("c1")
    collector.add("c1", "shop", "web.1")
    until(lambda: noted(tmp_path) == ["c1"])
    del server.containers["c1"]
    container.exit()
    until(lambda: noted(tmp_path) == [])


def test_one_line_of_ten_megabytes_is_cut_and_the_next_is_whole(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    container = server.container("c1")
    container.write(b"y" * 10_000_000, b"\x00\xff\x1b[2J", "next")
    collector.add("c1", "shop", "web.1")
    assert collector.finish("c1", 60)
    long, binary, last = texts(logs)
    assert long.endswith(CUT_MARK)
    assert len(long) < 17_000
    assert (binary, last) == (r"\x00\xff\x1b[2J", "next")


def test_lines_that_the_engine_rotated_away_unread_are_marked(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    container = server.container("c1")
    collector.add("c1", "shop", "web.1")
    container.write(*numbered(0, 1_000))
    assert collector.finish("c1", 60)
    server.stop()
    container.write(*numbered(1_000, 5_000))
    container.rotate(500)
    server.start()
    until(lambda: texts(logs)[-1] == "line 4999")
    (mark,) = texts(logs, source="wherry")
    assert mark == "Error L12 (local buffer overflow): about 3500 messages dropped: they were written faster than they could be read"
    assert texts(logs, source="app") == numbered(0, 1_000) + numbered(4_500, 5_000)


def test_known_lines_that_were_rotated_away_are_no_loss(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    container = server.container("c1")
    collector.add("c1", "shop", "web.1")
    container.write(*numbered(0, 1_000))
    assert collector.finish("c1", 60)
    server.stop()
    container.write(*numbered(1_000, 1_100))
    container.rotate(150)
    server.start()
    until(lambda: texts(logs)[-1] == "line 1099")
    assert texts(logs) == numbered(0, 1_100)


def test_a_clock_that_is_set_back_a_year_costs_no_line(server: DockerLogServer, logs: AppLogs, tmp_path: Path) -> None:
    container = server.container("c1")
    for start in range(0, 600, 200):
        collector = LogCollector(str(server.path), logs, tmp_path / "positions.json")
        collector.start()
        collector.add("c1", "shop", "web.1")
        container.write(*numbered(start, start + 100))
        assert collector.finish("c1", 60)
        container.clock -= 365 * 86_400 * 10**9
        container.write(*numbered(start + 100, start + 200))
        assert collector.finish("c1", 60)
        collector.stop()
    assert texts(logs) == numbered(0, 600)


def test_a_clock_that_is_set_back_a_second_costs_no_line(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    container = server.container("c1")
    collector.add("c1", "shop", "web.1")
    for start in range(0, 600, 200):
        container.write(*numbered(start, start + 200))
        until(lambda start=start: len(texts(logs)) >= start + 200)
        container.clock -= 10**9
    assert texts(logs) == numbered(0, 600)


@pytest.mark.parametrize("stutter", [1, 30])
def test_frames_that_the_engine_sends_twice_are_taken_once(
    server: DockerLogServer, collector: LogCollector, logs: AppLogs, stutter: int
) -> None:
    container = server.container("c1")
    container.stutter = stutter
    collector.add("c1", "shop", "web.1")
    for start in range(0, 600, 200):
        container.write(*numbered(start, start + 200))
        until(lambda start=start: len(texts(logs)) >= start + 200)
    assert collector.finish("c1", 60)
    assert texts(logs) == numbered(0, 600)


def test_frames_that_are_sent_twice_do_not_make_the_engine_read_all_it_keeps(
    server: DockerLogServer, collector: LogCollector, logs: AppLogs
) -> None:
    container = server.container("c1")
    container.stutter = 30
    collector.add("c1", "shop", "web.1")
    for start in range(0, 600, 200):
        container.write(*numbered(start, start + 200))
        until(lambda start=start: len(texts(logs)) >= start + 200)
    assert len(server.requests) == 1


def test_a_clock_that_was_set_back_does_not_make_us_ask_for_ever(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    container = server.container("c1")
    collector.add("c1", "shop", "web.1")
    container.write(*numbered(0, 200))
    until(lambda: len(texts(logs)) == 200)
    container.clock -= 365 * 86_400 * 10**9
    container.write(*numbered(200, 400))
    until(lambda: len(texts(logs)) == 400)
    for number in range(400, 450):
        container.write(f"line {number}")
        until(lambda number=number: len(texts(logs)) > number)
    assert texts(logs) == numbered(0, 450)
    assert len(server.requests) < 10


def test_lines_before_an_error_of_the_engine_are_kept(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    container = server.container("c1")
    container.write(*numbered(0, 100))
    container.error = b"Error grabbing logs: unexpected EOF"
    collector.add("c1", "shop", "web.1")
    until(lambda: texts(logs) == numbered(0, 100))
    container.write(*numbered(100, 200))
    container.error = b""
    until(lambda: len(texts(logs)) >= 200)
    assert texts(logs) == numbered(0, 200)


def test_a_flood_delays_no_other_and_needs_no_memory(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    loud, quiet = server.container("loud"), server.container("quiet")
    collector.add("loud", "shop", "web.1")
    collector.add("quiet", "blog", "web.1")
    until(lambda: len(server.requests) >= 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    flood = threading.Thread(target=lambda: [loud.write(*numbered(start, start + 2_000)) for start in range(0, 100_000, 2_000)])
    flood.start()
    delays = []
    for number in range(20):
        quiet.write(f"still here {number}")
        started = time.monotonic()
        until(lambda number=number: len(texts(logs, "blog")) > number)
        delays.append(time.monotonic() - started)
    flood.join()
    assert collector.finish("loud", 60)
    assert texts(logs) == numbered(0, 100_000)
    assert max(delays) < 5.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000


def test_a_follower_that_the_engine_forgot_is_seen_by_its_silence(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    loud = server.container("loud")
    collector.add("loud", "shop", "web.1")
    long = ["x" * 1_000] * 1_500
    loud.write(*long)
    until(lambda: len(texts(logs)) >= len(long))
    loud.stuck = loud.follows
    loud.write(*numbered(0, 100))
    until(lambda: texts(logs)[-100:] == numbered(0, 100))
    loud.write(*numbered(100, 110))
    until(lambda: texts(logs)[-110:] == numbered(0, 110))
    assert len(texts(logs)) == len(long) + 110


def test_a_follower_that_the_engine_forgot_while_it_began_is_seen_too(
    server: DockerLogServer, collector: LogCollector, logs: AppLogs
) -> None:
    loud = server.container("loud")
    collector.add("loud", "shop", "web.1")
    loud.write(*["x" * 1_000] * 1_500)
    until(lambda: len(texts(logs)) >= 1_500)
    loud.stuck = loud.follows + 1
    loud.write(*numbered(0, 10))
    until(lambda: texts(logs)[-10:] == numbered(0, 10))
    until(lambda: loud.follows == loud.stuck)
    loud.write(*numbered(10, 20))
    began = time.monotonic()
    until(lambda: texts(logs)[-20:] == numbered(0, 20))
    assert time.monotonic() - began < LONG_PATIENCE / 2
    assert len(texts(logs)) == 1_520


def test_a_follower_that_is_silent_for_want_of_lines_is_doubted_once(
    server: DockerLogServer, collector: LogCollector, logs: AppLogs
) -> None:
    loud = server.container("loud")
    collector.add("loud", "shop", "web.1")
    loud.write(*["x" * 1_000] * 1_500, step=10_000)
    until(lambda: loud.follows == 2)
    time.sleep(3 * PATIENCE)
    assert loud.follows == 2
    loud.write("hello")
    until(lambda: texts(logs)[-1:] == ["hello"])
    assert len(texts(logs)) == 1_501


def test_a_new_collector_sees_that_the_engine_forgot_it_while_it_began(server: DockerLogServer, logs: AppLogs, tmp_path: Path) -> None:
    loud = server.container("loud")
    first = LogCollector(str(server.path), logs, tmp_path / "positions.json")
    first.start()
    first.add("loud", "shop", "web.1")
    loud.write(*numbered(0, 200))
    until(lambda: texts(logs) == numbered(0, 200))
    first.stop()
    loud.stuck = loud.follows + 1
    second = LogCollector(str(server.path), logs, tmp_path / "positions.json")
    second.start()
    until(lambda: loud.follows == loud.stuck)
    loud.write(*numbered(200, 210))
    until(lambda: texts(logs) == numbered(0, 210))
    second.stop()


class Caps(dict[str, str]):
    """Caps that a test can look at: by container, as `processor_cap` writes them."""

    def of(self, container: str) -> "Cap":
        return Cap(self, container)


@dataclass(frozen=True)
class Cap:
    caps: Caps
    container: str

    def now(self) -> str:
        return self.caps.get(self.container, "max 100000")

    def set(self, cores: float) -> bool:
        return self.put_back(f"{cores * 100_000:.0f} 100000")

    def put_back(self, before: str) -> bool:
        self.caps[self.container] = before
        return True


def loud_and_quiet(server: DockerLogServer, logs: AppLogs, tmp_path: Path, caps: Caps) -> tuple[LogCollector, Container, Container]:
    """A collector that lets each of the two print 1000 lines a second."""
    loud, quiet = server.container("loud"), server.container("quiet")
    collector = LogCollector(str(server.path), logs, tmp_path / "positions.json", 1_000, caps.of)
    collector.start()
    collector.add("loud", "shop", "web.1")
    collector.add("quiet", "blog", "web.1")
    return collector, loud, quiet


def test_whoever_floods_is_slowed_and_told_so_and_no_line_of_it_is_lost(server: DockerLogServer, logs: AppLogs, tmp_path: Path) -> None:
    caps = Caps()
    collector, loud, quiet = loud_and_quiet(server, logs, tmp_path, caps)
    quiet.write(*numbered(0, 500))
    loud.write(*numbered(0, 3_000), step=10_000)
    until(lambda: any("Slowed down" in text for text in texts(logs)))
    assert "loud" in caps
    assert "quiet" not in caps
    assert collector.finish("loud", 30)
    collector.stop()
    assert [text for text in texts(logs) if text.startswith("line ")] == numbered(0, 3_000)
    assert any(text.startswith("Slowed down: it prints more than 1000 lines or 1 MB a second") for text in texts(logs))


def test_whoever_prints_few_but_long_lines_is_slowed_too(server: DockerLogServer, logs: AppLogs, tmp_path: Path) -> None:
    caps = Caps()
    collector, loud, quiet = loud_and_quiet(server, logs, tmp_path, caps)
    long = ["x" * 16_000] * 300
    quiet.write(*["x" * 900] * 500)
    loud.write(*long, step=10_000)
    until(lambda: any("Slowed down" in text for text in texts(logs)))
    assert list(caps) == ["loud"]
    assert collector.finish("loud", 60)
    assert collector.finish("quiet", 60)
    collector.stop()
    assert list(caps) == ["loud"]
    assert texts(logs, source="app") == long


def test_a_new_collector_gives_back_what_the_last_one_took(server: DockerLogServer, logs: AppLogs, tmp_path: Path) -> None:
    caps = Caps()
    loud = server.container("loud")
    first = LogCollector(str(server.path), logs, tmp_path / "positions.json", 1_000, caps.of, every=0.1)
    first.start()
    first.add("loud", "shop", "web.1")
    loud.write(*numbered(0, 3_000), step=10_000)
    until(lambda: "loud" in caps)
    first.stop()
    assert caps["loud"] != "max 100000"
    second = LogCollector(str(server.path), logs, tmp_path / "positions.json", 0, caps.of, every=0.1)
    second.start()
    until(lambda: caps["loud"] == "max 100000", 60)
    second.stop()


def test_300_containers_are_followed_by_one_thread(server: DockerLogServer, collector: LogCollector, logs: AppLogs) -> None:
    for number in range(300):
        server.container(f"c{number}").write(f"hello {number}")
        collector.add(f"c{number}", f"app{number % 7}", f"web.{number // 7 + 1}")
    until(lambda: sum(len(texts(logs, f"app{number}")) for number in range(7)) == 300)
    assert [thread.name for thread in threading.enumerate()].count("log-collector") == 1


@pytest.mark.parametrize(
    "garbage", [b"", b"hello\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n" + b"\xff" * 100, b"HTTP/1.0 500 No\r\n\r\n{}", b"x" * 40_000]
)
def test_an_answer_that_is_no_log_is_asked_for_again(tmp_path: Path, logs: AppLogs, garbage: bytes) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        collector = LogCollector(str(path), logs, tmp_path / "positions.json")
        collector.start()
        collector.add("c1", "shop", "web.1")
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(garbage)
    path.unlink()
    server = DockerLogServer(path)
    server.container("c1").write("hello")
    with server:
        until(lambda: texts(logs) == ["hello"])
        collector.stop()


def test_positions_that_can_not_be_read_do_not_stop_the_collection(server: DockerLogServer, logs: AppLogs, tmp_path: Path) -> None:
    (tmp_path / "positions.json").write_text('{"c1": {"app": "sh')
    server.container("c1").write("hello")
    collector = LogCollector(str(server.path), logs, tmp_path / "positions.json")
    collector.start()
    collector.add("c1", "shop", "web.1")
    until(lambda: texts(logs) == ["hello"])
    collector.stop()


# who prints much


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever prints more than a line a second for two is read from its file, and looked at after half a second of silence."""
    for name, value in (("MUCH", 1), ("FOR_LONG", 1), ("SILENT", 0.5)):
        monkeypatch.setattr(log_source, name, value)


def chatty(server: DockerLogServer, folder: Path) -> Container:
    """A container whose log is kept in a file too."""
    container = server.container("c1")
    container.file = folder / "c1-json.log"
    container.file.touch()
    return container


def write_until(container: Container, true: Callable[[], object], count: int = 0) -> int:
    """Writes numbered lines, from `count` on, until it is so; returns the number of the next one."""

    def so() -> object:
        nonlocal count
        container.write(*numbered(count, count + 5))
        count += 5
        return true()

    until(so)
    return count


def opened(server: DockerLogServer, word: str) -> int:
    return sum(word in request for request in server.requests)


def reads(path: Path | None) -> bool:
    """Whether this process has the file open."""
    return any(link.resolve() == path for link in Path("/proc/self/fd").iterdir() if link.exists())


def read_from_its_file(server: DockerLogServer, collector: LogCollector, folder: Path) -> tuple[Container, int]:
    """A container that printed numbered lines until its file was read, and the number of the next one."""
    container = chatty(server, folder)
    collector.add("c1", "shop", "web.1")
    return container, write_until(container, lambda: reads(container.file))


def test_who_prints_much_is_read_from_the_engines_file(
    hasty: None, server: DockerLogServer, collector: LogCollector, logs: AppLogs, tmp_path: Path
) -> None:
    container, count = read_from_its_file(server, collector, tmp_path)
    asked = len(server.requests)
    container.write(*numbered(count, count + 500))
    until(lambda: len(texts(logs)) == count + 500)
    assert texts(logs) == numbered(0, count + 500)
    assert len(server.requests) == asked


def test_an_instance_that_ends_while_its_file_is_read_is_seen_to(
    hasty: None, server: DockerLogServer, collector: LogCollector, logs: AppLogs, tmp_path: Path
) -> None:
    container, count = read_from_its_file(server, collector, tmp_path)
    container.write_without_newline(b"a last word")
    container.exit()
    until(lambda: texts(logs)[-1:] == ["a last word"])
    assert texts(logs) == [*numbered(0, count), "a last word"]
    until(lambda: not reads(container.file))


def test_what_a_file_holds_is_there_when_the_instance_is_removed(
    hasty: None, server: DockerLogServer, collector: LogCollector, logs: AppLogs, tmp_path: Path
) -> None:
    container, count = read_from_its_file(server, collector, tmp_path)
    container.write("the end")
    container.exit()
    assert collector.finish("c1", 60)
    assert texts(logs) == [*numbered(0, count), "the end"]


def test_who_is_silent_for_long_is_followed_again(
    hasty: None, server: DockerLogServer, collector: LogCollector, logs: AppLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_source, "BACK", 1.0)
    container, count = read_from_its_file(server, collector, tmp_path)
    follows = opened(server, "follow=1")
    until(lambda: opened(server, "follow=1") > follows)
    assert not reads(container.file)
    container.write("again")
    until(lambda: texts(logs)[-1] == "again")
    assert texts(logs) == [*numbered(0, count), "again"]


def test_a_short_silence_costs_the_engine_no_look_at_its_files(
    hasty: None, server: DockerLogServer, collector: LogCollector, logs: AppLogs, tmp_path: Path
) -> None:
    container, count = read_from_its_file(server, collector, tmp_path)
    read_over, looks = opened(server, "/logs"), opened(server, "/json")
    until(lambda: opened(server, "/json") >= looks + 2)
    container.write("again")
    until(lambda: texts(logs)[-1] == "again")
    assert texts(logs) == [*numbered(0, count), "again"]
    assert opened(server, "/logs") == read_over


def test_a_new_collector_goes_on_where_a_file_was_read_to(hasty: None, server: DockerLogServer, logs: AppLogs, tmp_path: Path) -> None:
    container, count = chatty(server, tmp_path), 0
    for _ in range(3):
        collector = LogCollector(str(server.path), logs, tmp_path / "positions.json")
        collector.start()
        collector.add("c1", "shop", "web.1")
        count = write_until(container, lambda: reads(container.file), count)
        collector.stop()
    collector = LogCollector(str(server.path), logs, tmp_path / "positions.json")
    collector.start()
    until(lambda: len(texts(logs)) >= count)
    collector.stop()
    assert texts(logs) == numbered(0, count)


@pytest.mark.parametrize("instead", ["none", "."], ids=["absent", "no file"])
def test_without_a_file_that_can_be_read_it_is_followed_on(
    hasty: None, server: DockerLogServer, collector: LogCollector, logs: AppLogs, tmp_path: Path, instead: str
) -> None:
    """As where the platform is a container itself."""
    container = chatty(server, tmp_path)
    assert container.file
    collector.add("c1", "shop", "web.1")
    container.file.unlink()
    container.file = tmp_path / instead
    count = write_until(container, lambda: opened(server, "/json"))
    container.write(*numbered(count, count + 50))
    until(lambda: len(texts(logs)) == count + 50)
    assert texts(logs) == numbered(0, count + 50)
