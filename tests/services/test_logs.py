"""An app's log: its end, and as it grows."""

import pytest

from stored_platform import ADMIN, READER, deployed
from wherry.errors import Forbidden, InvalidInput, NotFound, NothingToDo
from wherry.model.log_line import LogRecord
from wherry.model.log_settings import MB, LogSettings
from wherry.services import logs
from wherry.services.platform import Platform
from wherry.store.app_logs import AppLogs
from wherry.store.log_wishes import LogWishes


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


def test_router_and_platform_lines_are_found_by_their_source_and_time(platform: Platform) -> None:
    deployed(platform)
    store = AppLogs(platform.settings.app_logs)
    made = [
        ("app", "web.1", "hello"),
        ("heroku", "router", "at=info"),
        ("wherry", "router", "9 router lines dropped"),
        ("wherry", "web.1", "up"),
    ]
    store.append("shop", [LogRecord(f"2026-01-0{day + 1}T00:00:00.000000Z", *words) for day, words in enumerate(made)])

    def found(**wanted: str) -> list[str]:
        return [line.partition("]: ")[2] for line in logs.tail(platform, READER, "shop", **wanted)]

    assert found(source="router") == ["at=info", "9 router lines dropped"]
    assert found(source="platform") == ["9 router lines dropped", "up"]
    assert found(since="2026-01-02", until="2026-01-04") == ["at=info", "9 router lines dropped"]
    assert found(since="10m") == []
    assert found(since="2026-01-04T01:00:00+01:00") == ["up"]
    with pytest.raises(InvalidInput, match="how long ago"):
        found(since="2026-13-01")
    with pytest.raises(InvalidInput, match="grep dyno=web"):
        found(source="router", process="web")


def test_what_a_log_takes_in_is_set_per_app(platform: Platform) -> None:
    deployed(platform)
    assert logs.settings_of(platform, READER, "shop") == LogSettings()
    after = logs.change(platform, ADMIN, "shop", {"router": False, "max_size": 32})
    assert after == logs.settings_of(platform, READER, "shop") == LogSettings(router=False, max_size=32)
    wishes = LogWishes(platform.settings.database, 16)
    assert (wishes.of("shop"), wishes.cap("shop"), wishes.of("nope"), wishes.cap("nope")) == (after, 32 * MB, None, 16 * MB)
    with pytest.raises(NothingToDo):
        logs.change(platform, ADMIN, "shop", {"router": False})
    with pytest.raises(Forbidden):
        logs.change(platform, READER, "shop", {"router": True})
    with pytest.raises(InvalidInput, match="from 1 to 1024"):
        logs.change(platform, ADMIN, "shop", {"max_size": 0})


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
    with pytest.raises(InvalidInput, match="source 'kernel': give app, router or platform"):
        logs.tail(platform, READER, "shop", source="kernel")
    with pytest.raises(InvalidInput, match="n=-1"):
        logs.tail(platform, READER, "shop", -1)
