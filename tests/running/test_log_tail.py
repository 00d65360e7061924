"""Docker's own log file, read as it grows and turns over: against files that are written as Docker writes them."""

import json
from pathlib import Path

import pytest

from wherry.running.log_stream import BrokenStream
from wherry.running.log_tail import Entries, Tail, in_full

FILES = 3


class Log:
    """A container's log: `write` adds lines, `turn_over` does what Docker does at the size of 10 MB."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "c1-json.log"
        self.path.touch()
        self.second = 0

    def write(self, *lines: str, stream: str = "stdout") -> None:
        with self.path.open("a") as file:
            for line in lines:
                self.second += 1
                file.write(json.dumps({"log": f"{line}\n", "stream": stream, "time": moment(self.second)}) + "\n")

    def turn_over(self) -> None:
        for number in range(FILES - 1, 1, -1):
            if (older := Path(f"{self.path}.{number - 1}")).exists():
                older.rename(f"{self.path}.{number}")
        self.path.rename(f"{self.path}.1")
        self.path.touch()


def moment(second: int) -> str:
    return f"2026-11-26T10:{second // 60:02}:{second % 60:02}.5Z"


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def read(file: Tail, entries: Entries | None = None) -> list[str]:
    """The lines that are there now, without their moments."""
    entries, found = entries or Entries(), []
    while data := file.recv(4096):
        found += [payload.decode().partition(" ")[2].rstrip("\n") for _, payload in entries.feed(data)]
    return found


def test_lines_come_as_the_engine_would_send_them(log: Log) -> None:
    log.write("to the one")
    log.write("to the other", stream="stderr")
    data = Tail(str(log.path), "").recv(4096)
    assert list(Entries().feed(data)) == [
        (1, b"2026-11-26T10:00:01.500000000Z to the one\n"),
        (2, b"2026-11-26T10:00:02.500000000Z to the other\n"),
    ]


def test_what_is_written_later_comes_later(log: Log) -> None:
    file = Tail(str(log.path), "")
    assert read(file) == []
    log.write("one", "two")
    assert read(file) == ["one", "two"]
    assert read(file) == []


def test_half_a_line_waits_for_its_other_half(log: Log) -> None:
    file, entries = Tail(str(log.path), ""), Entries()
    log.write("whole")
    whole = log.path.read_text()
    log.path.write_text(whole[:20])
    assert read(file, entries) == []
    with log.path.open("a") as end:
        end.write(whole[20:])
    assert read(file, entries) == ["whole"]


def test_a_line_that_a_power_cut_tore_is_passed_over(log: Log) -> None:
    log.write("before")
    with log.path.open("ab") as file:
        file.write(b'{"log":"tor\0\0\0\0\n')
    log.write("after")
    assert read(Tail(str(log.path), "")) == ["before", "after"]


def test_the_last_lines_of_a_file_that_was_renamed_come_before_those_of_the_next(log: Log) -> None:
    file = Tail(str(log.path), "")
    log.write("1")
    assert read(file) == ["1"]
    log.write("2")
    log.turn_over()
    log.write("3")
    log.turn_over()
    log.write("4")
    assert read(file) == ["2", "3", "4"]


def test_a_file_that_is_gone_before_it_could_be_followed_is_no_silent_loss(log: Log) -> None:
    file = Tail(str(log.path), "")
    log.write("1")
    for number in range(2, 6):
        log.turn_over()
        log.write(str(number))
    with pytest.raises(BrokenStream, match="rotated faster"):
        read(file)


def test_the_moment_of_a_renaming_is_waited_for(log: Log) -> None:
    file = Tail(str(log.path), "")
    log.write("1")
    log.path.rename(f"{log.path}.1")
    assert read(file) == ["1"]
    log.path.touch()
    log.write("2")
    assert read(file) == ["2"]


def test_without_a_place_all_that_is_kept_is_read_in_order(log: Log) -> None:
    for number in range(4):
        log.write(*(str(number * 10 + each) for each in range(10)))
        log.turn_over()
    assert read(Tail(str(log.path), "")) == [str(number) for number in range(20, 40)]


@pytest.mark.parametrize("since", [0, 5, 1_500, 1_999])
def test_from_a_place_on_nothing_is_left_out_and_little_is_read_for_nothing(log: Log, since: int) -> None:
    for number in range(2_000):
        log.write(str(number) + "x" * 500)
        if number % 700 == 699:
            log.turn_over()
    found = [int(text.rstrip("x")) for text in read(Tail(str(log.path), in_full(moment(since))))]
    assert found == list(range(found[0], 2_000))
    assert found[0] <= max(since, 600)
    assert found[0] >= min(since, 1_900) - 300


def test_a_line_that_stands_a_little_behind_a_later_one_is_not_left_out(log: Log) -> None:
    """The other output's may be written milliseconds late."""
    log.write(*("x" * 500 for _ in range(1_000)))
    log.second -= 1
    log.write("late")
    log.write(*("y" * 500 for _ in range(1_000)))
    assert "late" in read(Tail(str(log.path), in_full(moment(1_000))))


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Tail(str(tmp_path / "none"), "")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("2026-11-26T10:00:01Z", "2026-11-26T10:00:01.000000000Z"),
        ("2026-11-26T10:00:01.5Z", "2026-11-26T10:00:01.500000000Z"),
        ("2026-11-26T10:00:01.123456789Z", "2026-11-26T10:00:01.123456789Z"),
    ],
)
def test_moments_are_written_out(written: str, sent: str) -> None:
    assert in_full(written) == sent
