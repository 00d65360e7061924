"""Reads the process types from what a classic buildpack's `bin/release` prints: the few forms of YAML that those use.

Source of the shape: devcenter.heroku.com, "Buildpack API": `addons`, `config_vars` and `default_process_types`, of which
only the last has an effect on an app that exists.
"""

from __future__ import annotations

import json
import re

from wherry.building.failure import refuse, shown
from wherry.model.process import TYPE_FORM

KEY = "default_process_types"
ENTRY = re.compile(rf"(\s+)[\"']?({TYPE_FORM})[\"']?:(?:\s+(.*))?")


def process_types(text: str) -> dict[str, str]:
    """Process type to command. Raises DeployFailed for what is not understood: it would be a process that is missing."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = re.fullmatch(rf"\s*[\"']?{KEY}[\"']?:\s*(.*?)\s*", line)
        if match:
            found = _flow(match[1]) if match[1] and not match[1].startswith("#") else _block(lines[number + 1 :])
            return {name: _command(command) for name, command in found.items()}
    return {}


def _flow(text: str) -> dict[str, str]:
    found = _json(text)
    if not isinstance(found, dict) or not all(re.fullmatch(TYPE_FORM, name) and isinstance(line, str) for name, line in found.items()):
        raise _unread(text)
    return found


def _block(lines: list[str]) -> dict[str, str]:
    """The entries below the key, up to the first line that is not indented."""
    found: dict[str, str] = {}
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line.startswith((" ", "\t")):
            break
        match = ENTRY.fullmatch(line)
        if not match:
            raise _unread(line)
        found[match[2]] = _scalar((match[3] or "").strip())
    return found


def _scalar(text: str) -> str:
    if text.startswith('"'):
        found = _json(text)
        if not isinstance(found, str):
            raise _unread(text)
        return found
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if not text or text[0] in "|>{[&*!%@`":
        raise _unread(text)
    return re.sub(r"(?<!\s)\s+#.*$", "", text)


def _command(text: str) -> str:
    """One that a shell can be given: its kernel takes no NUL, and a line break is no part of a line."""
    if not text.replace("\t", " ").isprintable():
        raise _unread(text)
    return text


def _json(text: str) -> object:
    """What the text says; None when it says nothing."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _unread(text: str) -> Exception:
    return refuse(
        f"the processes that the buildpack's bin/release names can not be read: {shown(text.strip())}",
        "Commit a Procfile that names them.",
        code="buildpack_invalid",
    )
