"""Looks something up in an app: whether a file is there, a text in it, or a value in its JSON."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from wherry.building import conflict, json_text
from wherry.building.archive import MAX_LOCK, Tree
from wherry.building.deeper import further_down
from wherry.building.failure import refuse
from wherry.errors import DeployFailed


@dataclass(frozen=True)
class Look:
    """`file` is a path in the app. `key` are the names that lead to a value in its JSON, where `a|b` takes the first that
    is there; `pattern` is searched in that value, or in the file's text. `deeper`: a file of that name so many folders
    further down will do, where there is none at the top."""

    file: str
    key: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    deeper: int = 0


def find(tree: Tree, look: Look) -> str | None:
    """What was found: the pattern's first group or all that it matched, else the value; None when it is not there.
    A value that is an object or a list is "{}", and is not there when it is empty. Raises DeployFailed for broken JSON."""
    if not tree.has(look.file):
        return _further_down(tree, look) if look.deeper else None
    if not look.key and not look.pattern:
        return ""
    text = tree.text(look.file, MAX_LOCK) or ""
    value = _value(look, text) if look.key else text
    if value is None or look.pattern is None:
        return value
    match = look.pattern.search(value)
    return match[(match.lastindex and 1) or 0] if match else None


def _further_down(tree: Tree, look: Look) -> str | None:
    """What lies there is looked at, not taken: a file that can not be read is no reason to refuse the app."""
    folders = (folder for folder in further_down(tree, look.file) if folder.count("/") < look.deeper)
    looks = (replace(look, file=f"{folder}/{look.file}", deeper=0) for folder in folders)
    return next((found for inner in looks if (found := _if_readable(tree, inner)) is not None), None)


def _if_readable(tree: Tree, look: Look) -> str | None:
    try:
        return find(tree, look)
    except DeployFailed:
        return None


def holds(tree: Tree, when: Iterable[Look], unless: Iterable[Look] = ()) -> bool:
    """True when all of `when` are there and none of `unless`."""
    return all(find(tree, look) is not None for look in when) and all(find(tree, look) is None for look in unless)


def _value(look: Look, text: str) -> str | None:
    found: Any = _parsed(look.file, text)
    for names in look.key:
        inner = found if isinstance(found, dict) else {}
        found = next((inner[name] for name in names.split("|") if name in inner), None)
    if isinstance(found, (dict, list)):
        return "{}" if found else None
    return None if found is None or (isinstance(found, bool) and not found) else str(found)


def check_object(file: str, text: str) -> None:
    """Raises DeployFailed, with line and column, when `text`, that of `file`, is not a JSON object. Keeps nothing of it: a lock
    file may be large."""
    _parse(file, text)


@functools.lru_cache(maxsize=8)
def _parsed(file: str, text: str) -> Any:
    return _parse(file, text)


def _parse(file: str, text: str) -> Any:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        conflict.check(file, text)
        raise refuse(f"{file} {_where(text, error)}", "Correct this place: the file must be valid JSON.", code="json_invalid") from error
    except ValueError as error:
        raise refuse(f"{file} holds a number of more than 4,000 digits", "Write it as text.", code="json_invalid") from error
    except RecursionError as error:
        raise refuse(f"{file} is nested too deep to be read", "Write it by hand, or with its own tool.", code="json_invalid") from error
    if not isinstance(found, dict):
        raise refuse(f"{file} does not hold an object", 'Start it with "{".', code="json_invalid")
    return found


def _where(text: str, error: json.JSONDecodeError) -> str:
    """The place and what is wrong there, in our reader's words: Python's are others from 3.13 on."""
    try:
        json_text.parse(text)
    except json_text.JSONError as own:
        return f"line {own.line} column {own.column}: {own.what}"
    return f"line {error.lineno} column {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}"
