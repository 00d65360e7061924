"""An app's log: its end, and as it grows."""

import pytest

from stored_platform import READER, deployed
from wherry.errors import InvalidInput, NotFound
from wherry.model.log_line import LogRecord
from wherry.services import logs
from wherry.services.platform import Platform
from wherry.store.app_logs import AppLogs


def said(platform: Platform, *lines: tuple[str, str]) -> None:
    records = [LogRecord(f"2026-01-01T00:00:0{number}.000000Z", "app", process, text) for number, (process, text) in enumerate(lines)]
    AppLogs(platform.settings.app_logs).append("shop", records)


def test_the_last_lines_come_oldest_first_and_filtered(platform: Platform) -> None:
    deployed(platform)
    said(platform, ("web.1", "one"), ("worker.1", "two"), ("web.2", "three"))
    assert [line.rpartition(" ")[2] for line in logs.tail(platform, READER, "shop", 2)] == ["two", "three"]
    assert [line.rpartition(" ")[2] for line in logs.tail(platform, READER, "shop", process="web")] == ["one", "three"]
    assert [line.rpartition(" ")[2] for line in logs.tail(platform, READER, "shop", grep="thr")] == ["three"]
    assert logs.tail(platform, READER, "shop", source="wherry") == []


def test_a_follower_ends_when_told_to(platform: Platform) -> None:
    deployed(platform)
    said(platform, ("web.1", "one"), ("web.1", "two"))
    lines = logs.follow(platform, READER, "shop", 1, stop=lambda: True)
    assert [line.rpartition(" ")[2] for line in lines if line is not None] == ["two"]


def test_what_is_no_place_in_a_log_is_refused(platform: Platform) -> None:
    deployed(platform)
    with pytest.raises(NotFound):
        logs.tail(platform, READER, "nope")
    with pytest.raises(InvalidInput, match="process type or an instance"):
        logs.tail(platform, READER, "shop", process="../x")
    with pytest.raises(InvalidInput, match="source 'kernel': give one of app, wherry, heroku"):
        logs.tail(platform, READER, "shop", source="kernel")
    with pytest.raises(InvalidInput, match="n=-1"):
        logs.tail(platform, READER, "shop", -1)
