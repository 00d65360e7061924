"""Reads single values of `app.json`, and says with line and column what one should be that is not."""

from __future__ import annotations

import difflib
import re

from wherry.building.failure import refuse, shown
from wherry.building.json_text import Node
from wherry.errors import DeployFailed
from wherry.model.process import TYPE_FORM

CODE = "app_json_invalid"
MAX_TEXT = 8192


def check_keys(warnings: list[str], node: Node, place: str, known: tuple[str, ...], not_used: tuple[str, ...]) -> None:
    """Adds a warning for each key that has no effect, with the nearest one that has."""
    for key, (line, _) in (node.keys or {}).items():
        if key in not_used:
            warnings.append(f'app.json line {line}: "{key}" has no effect here')
        elif key not in known:
            near = difflib.get_close_matches(key, known, 1) or [short for short in known if len(short) > 2 and key.startswith(short)]
            meant = f'; did you mean "{near[0]}"?' if near else ""
            where = f" in {place}" if place else ""
            warnings.append(f'app.json line {line}: unknown key "{shown(key, 40)}"{where}{meant}')


def check_process(process: str, node: Node, place: str) -> None:
    if not re.fullmatch(TYPE_FORM, process):
        line, column = (node.keys or {})[process]
        raise refuse(
            f'app.json line {line} column {column}: {place} names "{shown(process)}": give a process of the Procfile, e.g. "web"', code=CODE
        )


def members_of(node: Node, place: str, example: str) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        raise bad(node, f"{place} is {node.kind}: give an object, e.g. {example}")
    return node.value


def items_of(node: Node, place: str, example: str) -> list[Node]:
    if not isinstance(node.value, list):
        raise bad(node, f"{place} is {node.kind}: give a list, e.g. {example}")
    return node.value


def text_of(node: Node, place: str, example: str) -> str:
    if not isinstance(node.value, str) or not node.value.isprintable() or len(node.value) > 200:
        raise bad(node, f'{place}: give text of up to 200 characters on one line, e.g. "{example}"')
    return node.value


def long_text_of(node: Node, place: str, example: str) -> str:
    """A command or a URL: one line."""
    if not isinstance(node.value, str) or not node.value.strip() or len(node.value) > MAX_TEXT or not node.value.isprintable():
        given = "empty" if node.value == "" else node.kind
        raise bad(node, f'{place} is {given}: give text of up to {MAX_TEXT:,} characters on one line, e.g. "{example}"')
    return node.value


def flag_of(node: Node, place: str) -> bool:
    if not isinstance(node.value, bool):
        raise bad(node, f"{place} is {node.kind}: give true or false")
    return node.value


def path_of(node: Node, place: str) -> str:
    path = node.value
    if not isinstance(path, str) or not re.fullmatch(r"/[!-~]{0,499}", path):
        given = f'"{shown(path)}"' if isinstance(path, str) else node.kind
        raise bad(node, f'{place} is {given}: give a path that starts with "/", e.g. "/healthz"')
    return path


def whole_of(node: Node, place: str, low: int, high: int) -> int:
    number = node.value
    if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
        given = shown(str(number)) if isinstance(number, (int, float)) and not isinstance(number, bool) else node.kind
        raise bad(node, f"{place} is {given}: give a whole number from {low} to {high}")
    return number


def bad(node: Node, what: str) -> DeployFailed:
    return refuse(f"app.json line {node.line} column {node.column}: {what}", code=CODE)
