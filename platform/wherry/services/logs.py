"""What a person can do with an app's log: read its end, follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wherry.access.require import require
from wherry.errors import InvalidInput
from wherry.model.instance import parse_scope
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store.app_logs import AppLogs

SOURCES = ("app", "wherry", "heroku")
MAX_LINES = 10_000


def tail(
    platform: Platform,
    actor: Actor,
    name: str,
    count: int = 100,
    *,
    process: str | None = None,
    source: str | None = None,
    grep: str | None = None,
    since: str | None = None,
) -> list[str]:
    """The last lines, oldest first. Raises InvalidInput for a process or source of another form."""
    _check(platform, actor, name, process, source)
    return _logs(platform).tail(name, _counted(count), process=process, source=source, grep=grep, since=since)


def follow(
    platform: Platform,
    actor: Actor,
    name: str,
    count: int = 100,
    *,
    process: str | None = None,
    source: str | None = None,
    grep: str | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[str | None]:
    """The last lines, then each new one until `stop()` or the end of the app; None about once a second in silence."""
    _check(platform, actor, name, process, source)
    lines = _logs(platform).follow(name, _counted(count), process=process, source=source, stop=stop)
    return lines if grep is None else (line for line in lines if line is None or grep in line)


def _check(platform: Platform, actor: Actor, name: str, process: str | None, source: str | None) -> None:
    require(actor, "read", f"read the log of {name}")
    app_services.get(platform, actor, name)
    if process is not None:
        parse_scope(process)
    if source is not None and source not in SOURCES:
        raise InvalidInput(f"source {source[:40]!a}: give one of {', '.join(SOURCES)}", field="source")


def _counted(count: int) -> int:
    if not 0 <= count <= MAX_LINES:
        raise InvalidInput(f"n={count}: give a whole number from 0 to {MAX_LINES}, e.g. 100", field="n")
    return count


def _logs(platform: Platform) -> AppLogs:
    return AppLogs(platform.settings.app_logs)
