"""Collecting logs from a real Docker engine: crash, flood, restart of the collector."""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tiny_image import tiny_image
from waiting import until
from wherry.running import log_source
from wherry.running.log_collector import LogCollector
from wherry.running.processor_cap import ProcessorCap, cores
from wherry.store.app_logs import AppLogs

pytestmark = pytest.mark.engine

SOCKET = "/var/run/docker.sock"
MB = 1024 * 1024
RUN = uuid.uuid4().hex[:10]
LABEL = "wherry-test-run"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    import docker

    client = docker.DockerClient(base_url=f"unix://{SOCKET}", version="auto")
    yield client
    for container in client.containers.list(all=True, filters={"label": f"{LABEL}={RUN}"}, ignore_removed=True):
        container.remove(force=True)
    client.close()


@pytest.fixture(scope="module")
def start(client: Any) -> Callable[..., Any]:
    """Starts a shell line in a container with a platform's log limits."""
    image = tiny_image(client)

    def start(line: str, size: str = "10m", files: int = 2) -> Any:
        return client.containers.run(
            image,
            ["sh", "-c", line],
            detach=True,
            init=True,
            network_mode="none",
            labels={LABEL: RUN},
            log_config={"type": "json-file", "config": {"max-size": size, "max-file": str(files)}},
        )

    return start


@pytest.fixture
def logs(tmp_path: Path) -> AppLogs:
    return AppLogs(tmp_path / "apps")


@pytest.fixture
def collector(tmp_path: Path, logs: AppLogs) -> Iterator[LogCollector]:
    collector = LogCollector(SOCKET, logs, tmp_path / "positions.json")
    collector.start()
    yield collector
    collector.stop()


def texts(logs: AppLogs, app: str = "shop", **wanted: str) -> list[str]:
    return [line.split("]: ", 1)[1] for line in logs.tail(app, 1_000_000, **wanted)]


def test_the_last_lines_of_a_crashed_instance_survive_its_removal(start: Any, collector: LogCollector, logs: AppLogs) -> None:
    container = start("echo starting; echo 'no such module' >&2; printf 'and a last word'; exit 3")
    collector.add(container.id, "shop", "web.1")
    container.wait()
    assert collector.finish(container.id, 60)
    container.remove()
    assert sorted(texts(logs)) == ["and a last word", "no such module", "starting"]


def test_an_instance_that_is_long_dead_is_still_collected(start: Any, collector: LogCollector, logs: AppLogs) -> None:
    container = start("seq 1 1000")
    container.wait()
    collector.add(container.id, "shop", "web.1")
    assert collector.finish(container.id, 60)
    assert texts(logs) == [str(number) for number in range(1, 1001)]


def test_a_restart_of_the_collector_neither_doubles_nor_loses(start: Any, logs: AppLogs, tmp_path: Path) -> None:
    container = start("i=0; while [ $i -lt 3000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); [ $((i % 100)) = 0 ] && sleep 0.1; done")
    for _ in range(5):
        collector = LogCollector(SOCKET, logs, tmp_path / "positions.json")
        collector.start()
        collector.add(container.id, "shop", "web.1")
        time.sleep(0.4)
        collector.stop()
    container.wait()
    collector = LogCollector(SOCKET, logs, tmp_path / "positions.json")
    collector.start()
    assert collector.finish(container.id, 60)
    collector.stop()
    seen = texts(logs)
    assert [line for line in seen if line.startswith("out")] == [f"out {number}" for number in range(3000)]
    assert [line for line in seen if line.startswith("err")] == [f"err {number}" for number in range(3000)]


def test_a_line_of_100_kb_is_one_line(start: Any, collector: LogCollector, logs: AppLogs) -> None:
    container = start("head -c 100000 /dev/zero | tr '\\0' x; echo; echo next")
    container.wait()
    collector.add(container.id, "shop", "web.1")
    assert collector.finish(container.id, 60)
    first, second = texts(logs)
    assert first.endswith("x … [cut at 16 KB]")
    assert second == "next"


def test_an_instance_that_floods_gets_less_of_the_processor_until_it_stops(start: Any, logs: AppLogs, tmp_path: Path) -> None:
    """Looks at the cgroup that the kernel goes by, so a place that Docker does not put containers in would be seen here."""
    collector = LogCollector(SOCKET, logs, tmp_path / "positions.json", 500)
    collector.start()
    loud = start("until [ -e /tmp/stop ]; do seq 1 200; done; exec sleep 1000")
    cap = ProcessorCap(loud.id)
    free = cap.now()
    collector.add(loud.id, "shop", "web.1")
    until(lambda: cap.now() != free)
    assert cores(cap.now()) < 0.5
    until(lambda: any("Slowed down" in text for text in texts(logs)))
    assert loud.exec_run(["touch", "/tmp/stop"]).exit_code == 0
    until(lambda: cap.now() == free)
    collector.stop()


def test_a_flood_of_200000_lines_is_bounded_and_marked_and_delays_no_other(
    start: Any, collector: LogCollector, logs: AppLogs, tmp_path: Path
) -> None:
    quiet = start("while sleep 0.1; do cat /proc/uptime; done")
    collector.add(quiet.id, "blog", "web.1")
    until(lambda: texts(logs, "blog"))
    loud = start("seq 1 200000 | sed 's|.*|GET /items/& 200 and so on and on and on|'; echo the end", size="1m")
    collector.add(loud.id, "shop", "web.1")
    gaps = []
    while not _exited(loud):
        count, asked = len(texts(logs, "blog")), time.monotonic()
        until(lambda count=count: len(texts(logs, "blog")) > count)
        gaps.append(time.monotonic() - asked)
    assert collector.finish(loud.id, 60)
    seen = texts(logs)
    lines = [int(text.split("/")[2].split()[0]) for text in seen if text.startswith("GET")]
    assert seen[-1] == "the end"
    assert len(lines) > 5_000
    assert lines == sorted(set(lines))
    assert not unmarked_loss(seen)
    assert max(gaps) < 5
    assert sum(path.stat().st_size for path in (tmp_path / "apps" / "shop").iterdir()) < 16 * 1024 * 1024


def test_a_flood_within_the_engines_own_limits_loses_nothing(start: Any, collector: LogCollector, logs: AppLogs) -> None:
    loud = start("seq 1 200000", size="50m")
    collector.add(loud.id, "shop", "web.1")
    loud.wait()
    assert collector.finish(loud.id, 60)
    assert texts(logs) == [str(number) for number in range(1, 200_001)]


def test_lines_around_many_rotations_come_once_and_in_order(start: Any, collector: LogCollector, logs: AppLogs) -> None:
    """Docker 20.10 sends the beginning of its new file twice, and of ten files once a single line."""
    said = "n=0; while [ $n -lt 9000 ]; do seq $n $((n + 29)); usleep 2000; n=$((n + 30)); done"
    steady = start(said, size="10k", files=100)
    collector.add(steady.id, "shop", "web.1")
    steady.wait()
    assert collector.finish(steady.id, 60)
    numbers = [int(text) for text in texts(logs) if text.isdigit()]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 8999


def test_who_prints_much_is_read_from_dockers_file_over_rotations_and_to_its_last_word(
    start: Any, collector: LogCollector, logs: AppLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_source, "FOR_LONG", 1)
    said = "n=0; while [ $n -lt 30000 ]; do seq $n $((n + 49)); usleep 10000; n=$((n + 50)); done; printf 'the end'"
    chatty = start(said, size="200k", files=5)
    path = chatty.client.api.inspect_container(chatty.id)["LogPath"]
    collector.add(chatty.id, "shop", "web.1")
    until(lambda: any(link.exists() and str(link.resolve()).startswith(path) for link in Path("/proc/self/fd").iterdir()))
    chatty.wait()
    assert collector.finish(chatty.id, 60)
    assert texts(logs) == [*(str(number) for number in range(30_000)), "the end"]


def unmarked_loss(seen: list[str]) -> list[tuple[str, str]]:
    """Neighbours between which lines are missing, without a mark between them or later."""
    marks = [at for at, text in enumerate(seen) if text.startswith("Error L12")]
    pairs = [(at, seen[at], seen[at + 1]) for at in range(marks[-1] + 1 if marks else 0, len(seen) - 1)]
    numbers = [
        (one, two, [int(each.split("/")[2].split()[0]) for each in (one, two)]) for _, one, two in pairs if "GET" in one and "GET" in two
    ]
    return [(one, two) for one, two, (before, after) in numbers if after != before + 1]


def _exited(container: Any) -> bool:
    container.reload()
    return bool(container.status == "exited")


def heard_of(start: Any, collector: LogCollector, logs: AppLogs, command: str) -> list[str]:
    """What the log holds after an instance that says much has ended."""
    loud = start(command, files=3)
    collector.add(loud.id, "shop", "web.1")
    loud.wait()
    assert collector.finish(loud.id, 120)
    return texts(logs)


def test_a_million_lines_at_full_speed_are_kept_or_counted_in_order_within_the_cap(
    start: Any, collector: LogCollector, logs: AppLogs, tmp_path: Path
) -> None:
    seen = heard_of(start, collector, logs, "seq 1 1000000; echo the end")
    numbers = [int(text) for text in seen if text.isdigit()]
    assert seen[-1] == "the end"
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 50_000
    assert missing(numbers) == 0 or any(text.startswith("Error L12 (local buffer overflow): ") for text in seen)
    assert on_disk(tmp_path) < 16 * MB


def test_one_line_of_100_mb_is_one_line_and_the_next_is_whole(start: Any, collector: LogCollector, logs: AppLogs) -> None:
    seen = heard_of(start, collector, logs, "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo next")
    assert seen[-1] == "next"
    assert all(text.endswith("x … [cut at 16 KB]") for text in seen[:-1] if not text.startswith("Error L12"))
    assert sum(len(text) for text in seen) < 100_000


def test_binary_without_end_fills_no_disk_and_hurts_no_line_after_it(
    start: Any, collector: LogCollector, logs: AppLogs, tmp_path: Path
) -> None:
    seen = heard_of(start, collector, logs, "head -c 20000000 /dev/urandom; echo; echo next")
    assert seen[-1] == "next"
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]", "".join(seen))
    assert on_disk(tmp_path) < 16 * MB


def missing(numbers: list[int]) -> int:
    """How many of the numbers between the first and the last are not there."""
    return numbers[-1] - numbers[0] + 1 - len(numbers)


def on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "apps" / "shop").iterdir())
