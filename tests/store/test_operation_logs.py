"""Following what an operation says: every line, and its end."""

import threading
from pathlib import Path

import pytest

from wherry import clock
from wherry.store.operation_logs import HEARTBEAT, OperationLogs


@pytest.fixture
def logs(tmp_path: Path) -> OperationLogs:
    return OperationLogs(tmp_path)


class End:
    """Whether an operation is over."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def __call__(self) -> bool:
        return self.over.is_set()


def test_lines_from_before_and_after_are_told_up_to_the_last(logs: OperationLogs) -> None:
    end, heard = End(), []
    logs.write(1, "before")
    for line in logs.follow(1, end):
        if line:
            heard.append(line)
        if line == "before":
            logs.write(1, "after")
        if line == "after":
            logs.write(1, "the last")
            end.over.set()
    assert heard == ["before", "after", "the last"]


def test_an_operation_that_ends_without_a_word_is_seen_to_end(logs: OperationLogs) -> None:
    end = End()
    threading.Timer(0.3, end.over.set).start()
    assert [line for line in logs.follow(1, end) if line] == []


def test_a_sign_of_life_comes_every_second(logs: OperationLogs) -> None:
    began = clock.monotonic()
    signs = logs.follow(1, End())
    assert [next(signs), next(signs)] == [None, None]
    assert clock.monotonic() - began >= 2 * HEARTBEAT


def test_half_a_line_waits_for_its_end(logs: OperationLogs) -> None:
    logs.path(1).write_text("whole\nha")
    assert logs.read(1) == (["whole"], 6)
    logs.path(1).write_text("whole\nhalf\n")
    assert logs.read(1, 6) == (["half"], 11)
    assert logs.read(1, 11) == ([], 11)


def test_no_file_is_no_line(logs: OperationLogs) -> None:
    assert logs.read(7) == ([], 0)
