"""Decides which health checks an app gets from the `healthchecks` of its `app.json`, in Dokku's form."""

from __future__ import annotations

import re

from wherry.building.app_json_values import (
    bad,
    check_keys,
    check_process,
    flag_of,
    items_of,
    long_text_of,
    members_of,
    path_of,
    text_of,
    whole_of,
)
from wherry.building.failure import shown
from wherry.building.json_text import Node
from wherry.model.check import KINDS, LIVENESS, STARTUP, HealthCheck

EXAMPLE = '{"type": "startup", "path": "/healthz"}'
KEYS = (
    *("attempts", "command", "content", "description", "headers", "httpHeaders", "initialDelay", "listening", "name", "path"),
    *("port", "scheme", "timeout", "type", "uptime", "wait"),
)
NOT_USED = ("onFailure", "operator", "warn")
ASKS = ("path", "command", "uptime")
MAX_HEADERS = 20
LONGEST = 3600
"""Seconds that a check may put off its first look, or an instance may have to be up."""


def read(node: Node, warnings: list[str]) -> dict[str, tuple[HealthCheck, ...]]:
    """Maps process type to its checks. Raises DeployFailed with line and column."""
    found = {}
    for process, entry in members_of(node, "healthchecks", f'{{"web": [{EXAMPLE}]}}').items():
        check_process(process, node, "healthchecks")
        items = items_of(entry, f"healthchecks.{process}", f"[{EXAMPLE}]")
        read = [_read_check(item, f"healthchecks.{process}[{index}]", warnings) for index, item in enumerate(items)]
        if checks := tuple(check for check in read if check):
            found[process] = checks
    return found


def _read_check(node: Node, place: str, warnings: list[str]) -> HealthCheck | None:
    """None for a check that asks nothing; a warning says so."""
    members = members_of(node, place, EXAMPLE)
    check_keys(warnings, node, place, KEYS, NOT_USED)
    _ask_one_thing(members, place)
    check = HealthCheck(
        type=_one_of(members, "type", place, KINDS, STARTUP),
        name=text_of(members["name"], f"{place}.name", "web is up") if "name" in members else "",
        path=path_of(members["path"], f"{place}.path") if "path" in members else "",
        command=_command(members["command"], f"{place}.command") if "command" in members else (),
        uptime=_whole(members, "uptime", place, 0, LONGEST) or 0,
        listening=flag_of(members["listening"], f"{place}.listening") if "listening" in members else False,
        content=long_text_of(members["content"], f"{place}.content", "ok") if "content" in members else "",
        port=_whole(members, "port", place, 1, 65535),
        scheme=_one_of(members, "scheme", place, ("http", "https"), "http"),
        headers=_headers(members, place),
        timeout=_whole(members, "timeout", place, 1, 600) or HealthCheck.timeout,
        attempts=_whole(members, "attempts", place, 1, 100),
        wait=_whole(members, "wait", place, 1, 600),
        initial_delay=_whole(members, "initialDelay", place, 0, LONGEST) or 0,
    )
    return _sensible(check, node, place, warnings)


def _ask_one_thing(members: dict[str, Node], place: str) -> None:
    asked = [name for name in ASKS if name in members and members[name].value not in ("", 0, [])]
    if len(asked) > 1:
        raise bad(members[asked[1]], f"{place} has {' and '.join(asked)}: give one of them, and a check of its own for the other")


def _sensible(check: HealthCheck, node: Node, place: str, warnings: list[str]) -> HealthCheck | None:
    about_http = check.content or check.headers or check.scheme == "https"
    if not (check.path or check.command or check.uptime or check.listening):
        if about_http or check.port:
            return HealthCheck(**{**check.__dict__, "path": "/"})
        warnings.append(f"app.json line {node.line}: {place} asks nothing and is not run; give it a path, command, uptime or listening")
        return None
    if about_http and not check.path:
        warnings.append(f"app.json line {node.line}: content, headers and scheme in {place} have no effect without a path")
    if check.uptime and check.type == LIVENESS:
        warnings.append(f"app.json line {node.line}: uptime in {place} is true of what runs; a liveness check needs a path or a command")
    return check


def _one_of(members: dict[str, Node], key: str, place: str, allowed: tuple[str, ...], default: str) -> str:
    if key not in members:
        return default
    text = text_of(members[key], f"{place}.{key}", default)
    if text not in allowed:
        spelt = ", ".join(f'"{word}"' for word in allowed[:-1]) + f' or "{allowed[-1]}"'
        raise bad(members[key], f'{place}.{key} is "{shown(text)}": give {spelt}')
    return text


def _whole(members: dict[str, Node], key: str, place: str, low: int, high: int) -> int | None:
    return whole_of(members[key], f"{place}.{key}", low, high) if key in members else None


def _command(node: Node, place: str) -> tuple[str, ...]:
    """A line for the shell, or a program and its arguments."""
    if node.value in ("", []):
        return ()
    if isinstance(node.value, list):
        return tuple(long_text_of(item, place, "bin/check") for item in node.value)
    return (long_text_of(node, place, "bin/check"),)


def _headers(members: dict[str, Node], place: str) -> tuple[tuple[str, str], ...]:
    """From `headers` or Dokku's `httpHeaders`: an object, or a list of objects with name and value."""
    found: list[tuple[str, str]] = []
    for key in ("headers", "httpHeaders"):
        if key in members:
            found += _header_pairs(members[key], f"{place}.{key}")
    if len(found) > MAX_HEADERS:
        raise bad(
            members["headers" if "headers" in members else "httpHeaders"], f"{place} has {len(found)} headers: give up to {MAX_HEADERS}"
        )
    return tuple(found)


def _header_pairs(node: Node, place: str) -> list[tuple[str, str]]:
    if isinstance(node.value, dict):
        return [_header(entry, name, entry, place) for name, entry in node.value.items()]
    pairs = []
    for index, item in enumerate(items_of(node, place, '{"X-Forwarded-Proto": "https"}')):
        members = members_of(item, f"{place}[{index}]", '{"name": "X-Forwarded-Proto", "value": "https"}')
        if "name" not in members or "value" not in members:
            raise bad(item, f'{place}[{index}]: give a name and a value, e.g. {{"name": "X-Forwarded-Proto", "value": "https"}}')
        pairs.append(_header(members["name"], members["name"].value, members["value"], place))
    return pairs


def _header(at: Node, name: object, value: Node, place: str) -> tuple[str, str]:
    if not isinstance(name, str) or not re.fullmatch(r"[0-9A-Za-z!#$%&'*+.^_`|~-]{1,100}", name):
        raise bad(at, f'{place} names "{shown(str(name))}": give a header\'s name, e.g. "X-Forwarded-Proto"')
    if not isinstance(value.value, str) or not re.fullmatch(r"[ -~]{0,1000}", value.value):
        raise bad(value, f"{place}.{name}: give text of printable ASCII on one line")
    return name, value.value
