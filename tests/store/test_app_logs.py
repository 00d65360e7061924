"""The log of an app on disk: what users read with `wherry logs`, over real files."""

import os
import re
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from waiting import until, within
from wherry.errors import InvalidInput
from wherry.model.log_line import CUT_MARK, MAX_LINE, LogRecord
from wherry.store.app_logs import AppLogs

KB = 1024
LINE = re.compile(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z [a-z]+\[[^\]]+\]: .*")


@pytest.fixture
def logs(tmp_path: Path) -> AppLogs:
    return AppLogs(tmp_path / "apps", cap=512 * KB)


def record(text: bytes | str, process: str = "web.1", source: str = "app", second: int = 5) -> LogRecord:
    return LogRecord(f"2026-11-21T07:43:{second:02d}.123456789Z", source, process, text)


def texts(lines: list[str]) -> list[str]:
    return [line.split("]: ", 1)[1] for line in lines]


def size_on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def fill(logs: AppLogs, app: str, lines: int, start: int = 0, batch: int = 500) -> None:
    for first in range(start, start + lines, batch):
        logs.append(app, [record(f"line {number} {os.urandom(20).hex()}") for number in range(first, min(first + batch, start + lines))])


def numbers(lines: list[str]) -> list[int]:
    return [int(text.split()[1]) for text in texts(lines)]


def test_a_line_has_herokus_form(logs: AppLogs) -> None:
    logs.append("shop", [record("GET / 200\n")])
    assert logs.tail("shop", 10) == ["2026-11-21T07:43:05.123456Z app[web.1]: GET / 200"]


def test_a_state_change_is_a_line_of_the_platform(logs: AppLogs) -> None:
    logs.platform_line("shop", "web.1", "State changed from starting to up")
    (line,) = logs.tail("shop", 10)
    assert LINE.fullmatch(line)
    assert line.endswith("Z wherry[web.1]: State changed from starting to up")


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (b"two\nlines\n", r"two\nlines"),
        (b"dos\r\n", "dos"),
        (b"\x1b[31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07", r"\x1b]0;title\x07"),
        (b"nul\x00byte", r"nul\x00byte"),
        (b"broken \xff\xfe utf-8", r"broken \xff\xfe utf-8"),
        ("h\u00e9llo \u4f60 \U0001f6a3".encode(), "h\u00e9llo \u4f60 \U0001f6a3"),
        ("right \u202e to left", r"right \u202e to left"),
        ("\ud800", r"\ud800"),
        (b"a\tb", "a\tb"),
        (b"", ""),
    ],
)
def test_whatever_an_app_prints_is_one_safe_line(logs: AppLogs, printed: bytes | str, shown: str) -> None:
    logs.append("shop", [record(printed), record("next")])
    assert texts(logs.tail("shop", 10)) == [shown, "next"]


@pytest.mark.parametrize("huge", [b"x" * 100_000, ("\u00e9" * 50_000).encode(), "\u00e9" * 50_000, b"\xff" * 20_000])
def test_a_line_over_16_kb_is_cut_and_says_so(logs: AppLogs, huge: bytes | str) -> None:
    logs.append("shop", [record(huge)])
    (text,) = texts(logs.tail("shop", 1))
    assert text.endswith(CUT_MARK)
    assert len(text) <= MAX_LINE + len(CUT_MARK)
    assert not text.removesuffix(CUT_MARK).endswith(r"\xc3")


def test_lines_are_found_by_process_source_text_and_time(logs: AppLogs) -> None:
    logs.append(
        "shop",
        [
            record("one", "web.1", second=1),
            record("two", "web.2", second=2),
            record("three", "worker.1", second=3),
            record("four web.1]: ", "webby.1", second=4),
            record("method=GET", "router", "heroku", second=5),
        ],
    )
    assert texts(logs.tail("shop", 10, process="web")) == ["one", "two"]
    assert texts(logs.tail("shop", 10, process="web.1")) == ["one"]
    assert texts(logs.tail("shop", 10, source="heroku")) == ["method=GET"]
    assert texts(logs.tail("shop", 10, grep="o")) == ["one", "two", "four web.1]: ", "method=GET"]
    assert texts(logs.tail("shop", 10, grep="web.1")) == ["four web.1]: "]
    assert texts(logs.tail("shop", 10, grep=".*")) == []
    assert texts(logs.tail("shop", 10, since="2026-11-21T07:43:03.000000Z")) == ["three", "four web.1]: ", "method=GET"]
    assert texts(logs.tail("shop", 1, process="web")) == ["two"]
    assert logs.tail("shop", 0) == []


def test_an_app_without_a_log_has_no_lines(logs: AppLogs) -> None:
    assert logs.tail("nothing", 10) == []


@pytest.mark.parametrize("app", ["../etc", "a/b", "", ".git", "shop\n"])
def test_a_log_can_not_be_asked_for_outside_its_folder(logs: AppLogs, app: str) -> None:
    with pytest.raises(InvalidInput):
        logs.tail(app, 10)


def test_a_full_store_keeps_the_newest_lines_within_the_cap(logs: AppLogs, tmp_path: Path) -> None:
    sizes = []
    for start in range(0, 40_000, 4_000):
        fill(logs, "shop", 4_000, start)
        sizes.append(size_on_disk(tmp_path / "apps" / "shop"))
    kept = numbers(logs.tail("shop", 100_000))
    assert max(sizes) <= 512 * KB
    assert kept == list(range(kept[0], 40_000))
    assert kept[0] > 0
    assert size_on_disk(tmp_path / "apps" / "shop") > 256 * KB


def test_the_last_100_lines_of_a_full_store_come_at_once(tmp_path: Path) -> None:
    logs = AppLogs(tmp_path / "apps")
    block = [record(f"GET /items/{number}?q={number * 7919} 200 {os.urandom(8).hex()}") for number in range(20_000)]
    for _ in range(26):
        logs.append("shop", block)
    logs.append("shop", [record("needle", "worker.1")])
    fill(logs, "shop", 12_000)
    started = time.thread_time()
    assert len(logs.tail("shop", 100)) == 100
    assert time.thread_time() - started < 0.3, "of the processor, so that a busy machine does not matter; all of it takes seconds"
    assert len(logs.tail("shop", 100, process="web")) == 100
    assert texts(logs.tail("shop", 1, process="worker")) == ["needle"]


def test_a_log_survives_the_engine(logs: AppLogs, tmp_path: Path) -> None:
    fill(logs, "shop", 5_000)
    again = AppLogs(tmp_path / "apps", cap=512 * KB)
    fill(again, "shop", 5_000, 5_000)
    kept = numbers(again.tail("shop", 100_000))
    assert kept == list(range(kept[0], 10_000))
    assert kept[0] < 5_000


def test_a_line_torn_by_a_power_cut_spoils_no_other(logs: AppLogs, tmp_path: Path) -> None:
    logs.append("shop", [record("whole")])
    (segment,) = (tmp_path / "apps" / "shop").iterdir()
    with segment.open("ab") as file:
        file.write(b"2026-11-21T07:43:05.12")
    assert texts(logs.tail("shop", 10)) == ["whole"]
    again = AppLogs(tmp_path / "apps", cap=512 * KB)
    again.append("shop", [record("after the cut")])
    assert texts(again.tail("shop", 10)) == ["whole", "after the cut"]


def test_a_rotation_cut_short_by_a_power_cut_is_finished(logs: AppLogs, tmp_path: Path) -> None:
    folder = tmp_path / "apps" / "shop"
    logs.append("shop", [record("old")])
    (folder / "00000002.log").write_bytes((folder / "00000001.log").read_bytes().replace(b"old", b"new"))
    (folder / "00000001.log.tmp").write_bytes(b"half")
    again = AppLogs(tmp_path / "apps", cap=512 * KB)
    again.append("shop", [record("newest")])
    assert texts(again.tail("shop", 10)) == ["old", "new", "newest"]
    assert sorted(path.name for path in folder.glob("*.log*")) == ["00000001.log.gz", "00000002.log"]


def test_a_torn_compressed_segment_costs_only_itself(logs: AppLogs, tmp_path: Path) -> None:
    fill(logs, "shop", 2_000)
    packed = sorted((tmp_path / "apps" / "shop").glob("*.gz"))
    packed[0].write_bytes(b"")
    packed[1].write_bytes(packed[1].read_bytes()[:100])
    assert numbers(logs.tail("shop", 10_000))[-1] == 1_999


def test_the_api_user_can_read_by_its_group_and_nobody_else_can(logs: AppLogs, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        (tmp_path / "apps").mkdir()
        os.chown(tmp_path / "apps", -1, 1)
        fill(logs, "shop", 2_000)
    finally:
        os.umask(before)
    folder = tmp_path / "apps" / "shop"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2750
    assert {(stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) for path in folder.iterdir()} == {(0o640, 1)}
    assert list(folder.glob("*.gz"))


def test_a_full_disk_is_survived_and_the_loss_is_marked(tmp_path: Path) -> None:
    logs = AppLogs(tmp_path / "apps")
    logs.append("shop", [record("before")])
    folder = tmp_path / "apps" / "shop"
    (folder / "00000001.log").rename(tmp_path / "kept")
    (folder / "00000001.log").mkdir()
    logs.append("shop", [record("lost"), record("lost too")])
    (folder / "00000001.log").rmdir()
    (tmp_path / "kept").rename(folder / "00000001.log")
    logs.append("shop", [record("after")])
    assert texts(logs.tail("shop", 10)) == ["before", "after", "Error L13 (local delivery error): 2 messages dropped: the disk was full"]


class Reader(threading.Thread):
    """Somebody with `wherry logs -t`."""

    def __init__(self, lines: Iterator[str | None]) -> None:
        super().__init__(daemon=True)
        self.lines = lines
        self.seen: list[str] = []
        self.beats = 0
        self.start()

    def run(self) -> None:
        for line in self.lines:
            if line is None:
                self.beats += 1
            else:
                self.seen.append(line)

    def wait_for(self, count: int, seconds: float = 60) -> None:
        within(seconds, lambda: len(self.seen) >= count)


def test_following_shows_each_line_once_and_in_order_through_rotations(tmp_path: Path) -> None:
    writer = AppLogs(tmp_path / "apps", cap=4096 * KB)
    fill(writer, "shop", 3_000)
    stopped = threading.Event()
    reader = Reader(AppLogs(tmp_path / "apps").follow("shop", 1_000, stop=stopped.is_set))
    reader.wait_for(1_000)
    for start in range(3_000, 43_000, 2_000):
        fill(writer, "shop", 2_000, start, batch=37)
    reader.wait_for(41_000)
    stopped.set()
    reader.join(60)
    assert numbers(reader.seen) == list(range(2_000, 43_000))
    assert len(list((tmp_path / "apps" / "shop").glob("*.gz"))) >= 5


def test_following_starts_before_the_first_line_and_beats_in_silence(logs: AppLogs) -> None:
    stopped = threading.Event()
    reader = Reader(logs.follow("shop", 10, stop=stopped.is_set))
    until(lambda: reader.beats)
    delays = []
    for number in range(10):
        started = time.monotonic()
        logs.append("shop", [record(f"line {number}")])
        reader.wait_for(number + 1)
        delays.append(time.monotonic() - started)
    stopped.set()
    reader.join(60)
    assert numbers(reader.seen) == list(range(10))
    assert sorted(delays)[len(delays) // 2] < 2


def test_following_one_process_shows_no_other(logs: AppLogs) -> None:
    stopped = threading.Event()
    logs.append("shop", [record("a"), record("b", "worker.1")])
    reader = Reader(logs.follow("shop", 10, process="worker", stop=stopped.is_set))
    reader.wait_for(1)
    logs.append("shop", [record("c"), record("d", "worker.2")])
    reader.wait_for(2)
    stopped.set()
    reader.join(60)
    assert texts(reader.seen) == ["b", "d"]


def test_following_ends_when_the_app_is_destroyed(logs: AppLogs) -> None:
    logs.append("shop", [record("a")])
    reader = Reader(logs.follow("shop", 10))
    reader.wait_for(1)
    logs.remove("shop")
    reader.join(60)
    assert not reader.is_alive()
    assert logs.tail("shop", 10) == []


def test_a_reader_that_stood_still_for_too_long_is_told_what_it_missed(tmp_path: Path) -> None:
    logs = AppLogs(tmp_path / "apps", cap=64 * KB)
    logs.append("shop", [record("line 0 start")])
    lines = logs.follow("shop", 1, stop=lambda: False)
    assert next(lines) is not None
    logs.append("shop", [record("line 1 seen")])
    assert "line 1 seen" in str(next(lines))
    fill(logs, "shop", 5_000, 2)
    mark, *rest = texts([str(next(lines)) for _ in range(4)])
    missed = int(rest[0].split()[1]) - 2
    assert missed > 1_000
    assert (
        mark == f"Error L11 (tail buffer overflow): {missed} messages dropped: the log made room for newer ones before they could be sent"
    )


def test_the_lines_after_a_cursor_are_exactly_those_written_since(logs: AppLogs) -> None:
    fill(logs, "shop", 1_000)
    cursor = logs.cursor("shop")
    fill(logs, "shop", 1_000, 1_000)
    logs.platform_line("shop", "web.1", "line 0 of the platform")
    assert numbers(logs.after("shop", cursor, process="web.1", source="app")) == list(range(1_000, 2_000))
