"""Decides what an app's `app.json` asks for: startup checks and the first formation; the rest is warned about.

The keys are Heroku's app.json and Dokku's `healthchecks`, so that a file written for either is read here.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

from wherry.building import json_text
from wherry.building.failure import refuse, shown
from wherry.building.json_text import Node
from wherry.errors import DeployFailed
from wherry.model.build import HealthCheck
from wherry.model.process import MAX_QUANTITY, TYPE_FORM

CODE = "app_json_invalid"
MAX_SIZE = 256 * 1024
USED = ("formation", "healthchecks")
DESCRIPTIVE = ("name", "description", "keywords", "website", "repository", "logo", "success_url", "stack", "$schema")
NOT_USED = ("addons", "buildpacks", "cron", "env", "environments", "image", "scripts")
CHECK_KEYS = ("type", "name", "path", "timeout")
CHECK_NOT_USED = (
    "attempts",
    *("command", "content", "description", "headers", "httpHeaders", "initialDelay", "listening", "onFailure", "operator"),
    *("port", "scheme", "uptime", "wait", "warn"),
)
FORMATION_KEYS, FORMATION_NOT_USED = ("quantity",), ("size", "max_parallel", "memory")


@dataclass
class AppJSON:
    """What was asked for, and the warnings that its author should see."""

    checks: dict[str, tuple[HealthCheck, ...]] = field(default_factory=dict)
    formation: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def parse(text: str) -> AppJSON:
    """Raises DeployFailed with line, column and the allowed form."""
    if len(text) > MAX_SIZE:
        raise refuse(f"app.json has {len(text):,} characters: up to {MAX_SIZE:,} are allowed", "Keep data in another file.", code=CODE)
    try:
        root = json_text.parse(text)
    except json_text.JSONError as error:
        raise refuse(f"app.json line {error.line} column {error.column}: {error.what}", code=CODE) from error
    found = AppJSON()
    members = _object(root, "app.json", '{"healthchecks": {"web": [{"type": "startup", "path": "/healthz"}]}}')
    _warn_of_keys(found, root, "", (*USED, *DESCRIPTIVE), NOT_USED)
    if "formation" in members:
        _read_formation(found, members["formation"])
    if "healthchecks" in members:
        _read_checks(found, members["healthchecks"])
    return found


def _read_formation(found: AppJSON, node: Node) -> None:
    for process, entry in _object(node, "formation", '{"web": {"quantity": 2}}').items():
        _check_process(process, node, "formation")
        place = f"formation.{process}"
        members = _object(entry, place, '{"quantity": 2}')
        _warn_of_keys(found, entry, place, FORMATION_KEYS, FORMATION_NOT_USED)
        if "quantity" in members:
            found.formation[process] = _whole(members["quantity"], f"{place}.quantity", 0, MAX_QUANTITY)


def _read_checks(found: AppJSON, node: Node) -> None:
    for process, entry in _object(node, "healthchecks", '{"web": [{"type": "startup", "path": "/healthz"}]}').items():
        _check_process(process, node, "healthchecks")
        items = _list(entry, f"healthchecks.{process}", '[{"type": "startup", "path": "/healthz"}]')
        read = [_read_check(found, item, f"healthchecks.{process}[{index}]") for index, item in enumerate(items)]
        checks = tuple(check for check in read if check)
        if checks:
            found.checks[process] = checks


def _read_check(found: AppJSON, node: Node, place: str) -> HealthCheck | None:
    """None for a check of a kind that is not run; a warning says so."""
    members = _object(node, place, '{"type": "startup", "path": "/healthz"}')
    _warn_of_keys(found, node, place, CHECK_KEYS, CHECK_NOT_USED)
    kind = _text(members["type"], f"{place}.type", "startup") if "type" in members else "startup"
    if kind not in ("startup", "liveness", "readiness"):
        raise _bad(members["type"], f'{place}.type is "{shown(kind)}": give "startup"')
    if kind != "startup" or "path" not in members:
        why = f"{kind} checks are" if kind != "startup" else "a check without a path is"
        found.warnings.append(f"app.json line {node.line}: {why} not run; startup checks with a path are")
        return None
    return HealthCheck(
        path=_path(members["path"], f"{place}.path"),
        name=_text(members["name"], f"{place}.name", "web is up") if "name" in members else "",
        timeout=_whole(members["timeout"], f"{place}.timeout", 1, 600) if "timeout" in members else HealthCheck.timeout,
    )


def _warn_of_keys(found: AppJSON, node: Node, place: str, known: tuple[str, ...], not_used: tuple[str, ...]) -> None:
    for key, (line, _) in (node.keys or {}).items():
        if key in not_used:
            found.warnings.append(f'app.json line {line}: "{key}" has no effect here')
        elif key not in known:
            near = difflib.get_close_matches(key, known, 1)
            meant = f'; did you mean "{near[0]}"?' if near else ""
            where = f" in {place}" if place else ""
            found.warnings.append(f'app.json line {line}: unknown key "{shown(key, 40)}"{where}{meant}')


def _check_process(process: str, node: Node, place: str) -> None:
    if not re.fullmatch(TYPE_FORM, process):
        line, column = (node.keys or {})[process]
        raise refuse(
            f'app.json line {line} column {column}: {place} names "{shown(process)}": give a process of the Procfile, e.g. "web"', code=CODE
        )


def _object(node: Node, place: str, example: str) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        raise _bad(node, f"{place} is {node.kind}: give an object, e.g. {example}")
    return node.value


def _list(node: Node, place: str, example: str) -> list[Node]:
    if not isinstance(node.value, list):
        raise _bad(node, f"{place} is {node.kind}: give a list, e.g. {example}")
    return node.value


def _text(node: Node, place: str, example: str) -> str:
    if not isinstance(node.value, str) or not node.value.isprintable() or len(node.value) > 200:
        raise _bad(node, f'{place}: give text of up to 200 characters on one line, e.g. "{example}"')
    return node.value


def _path(node: Node, place: str) -> str:
    path = node.value
    if not isinstance(path, str) or not re.fullmatch(r"/[!-~]{0,499}", path):
        given = f'"{shown(path)}"' if isinstance(path, str) else node.kind
        raise _bad(node, f'{place} is {given}: give a path that starts with "/", e.g. "/healthz"')
    return path


def _whole(node: Node, place: str, low: int, high: int) -> int:
    number = node.value
    if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
        given = shown(str(number)) if isinstance(number, (int, float)) and not isinstance(number, bool) else node.kind
        raise _bad(node, f"{place} is {given}: give a whole number from {low} to {high}")
    return number


def _bad(node: Node, what: str) -> DeployFailed:
    return refuse(f"app.json line {node.line} column {node.column}: {what}", code=CODE)
