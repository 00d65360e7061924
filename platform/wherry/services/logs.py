"""What a person can do with an app's log: read its end, follow it, say what is written and how much is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from wherry import clock
from wherry.access.require import require
from wherry.errors import InvalidInput, NothingToDo
from wherry.model.instance import parse_scope
from wherry.model.log_settings import LogSettings, check_size
from wherry.model.moment import parse_moment
from wherry.model.user import Actor
from wherry.services import apps as app_services
from wherry.services.platform import Platform
from wherry.store import apps, events, log_settings
from wherry.store.app_logs import AppLogs

SOURCES = {"app": "app", "router": "router", "platform": "wherry", "wherry": "wherry", "heroku": "heroku"}
"""What people call a source, and what the lines do; `router` is the process of the lines about requests."""
MAX_LINES = 10_000


def tail(platform: Platform, actor: Actor, name: str, count: int = 100, **wanted: str | None) -> list[str]:
    """The last lines, oldest first. `wanted` are `process`, `source`, `grep`, `since` and `until`, as people write them.
    Raises InvalidInput for one of another form."""
    found = _wanted(platform, actor, name, **wanted)
    return _logs(platform).tail(name, _counted(count), **found)


def follow(
    platform: Platform, actor: Actor, name: str, count: int = 100, *, stop: Callable[[], bool] = lambda: False, **wanted: str | None
) -> Iterator[str | None]:
    """The last lines, then each new one until `stop()` or the end of the app; None about once a second in silence."""
    found = _wanted(platform, actor, name, **wanted)
    if found["until"] is not None:
        raise InvalidInput("until: not together with follow", field="until")
    return _logs(platform).follow(name, _counted(count), stop=stop, **found)


def settings_of(platform: Platform, actor: Actor, name: str) -> LogSettings:
    require(actor, "read", f"read the log settings of {name}")
    with platform.database.read() as connection:
        return log_settings.of(connection, apps.get(connection, name))


def change(platform: Platform, actor: Actor, name: str, changes: dict[str, Any]) -> LogSettings:
    """Changes `router`, `query` or `max_size` (MB, None for the platform's setting); holds within a second.

    Raises InvalidInput for what is off, NothingToDo when nothing would change.
    """
    require(actor, "deploy", f"change the log settings of {name}")
    if not changes:
        raise InvalidInput("nothing to set: give e.g. router=off or max-size=32", field="logs")
    if changes.get("max_size") is not None:
        check_size(changes["max_size"])
    with platform.database.write() as connection:
        app = apps.get(connection, name)
        before = log_settings.of(connection, app)
        after = replace(before, **changes)
        if after == before:
            raise NothingToDo(f"the log of {name} is kept like that already; nothing to do")
        log_settings.put(connection, app, after)
        events.add(connection, actor, "logs.changed", name, clock.now(), **changes)
    return after


def _wanted(
    platform: Platform,
    actor: Actor,
    name: str,
    process: str | None = None,
    source: str | None = None,
    grep: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> dict[str, str | None]:
    """The words of the store's filter."""
    require(actor, "read", f"read the log of {name}")
    app_services.get(platform, actor, name)
    if process is not None:
        parse_scope(process)
    if source is not None and source not in SOURCES:
        raise InvalidInput(f"source {source[:40]!a}: give app, router or platform", field="source")
    if source == "router" and process is not None:
        raise InvalidInput(f"router lines are of no process: find those of {process} with grep dyno={process}", field="process")
    now = clock.parse(clock.now())
    moments = {field: text and parse_moment(text, field, now) for field, text in (("since", since), ("until", until))}
    if source == "router":
        return {"process": "router", "grep": grep, **moments}
    return {"process": process, "source": SOURCES[source] if source else None, "grep": grep, **moments}


def _counted(count: int) -> int:
    if not 0 <= count <= MAX_LINES:
        raise InvalidInput(f"n={count}: give a whole number from 0 to {MAX_LINES}, e.g. 100", field="n")
    return count


def _logs(platform: Platform) -> AppLogs:
    return AppLogs(platform.settings.app_logs)
