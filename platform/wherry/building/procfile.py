"""Decides which processes an app has from its Procfile, as Heroku and Dokku read it: one `name: command` a line."""

from __future__ import annotations

import re

from wherry.building import conflict
from wherry.building.failure import refuse, shown
from wherry.errors import DeployFailed
from wherry.model.process import TYPE_FORM
from wherry.model.run import TYPE as ONE_OFF

EXAMPLE = "web: gunicorn app:app -b 0.0.0.0:$PORT"
CODE = "procfile_invalid"
MAX_COMMAND = 8192


def parse(text: str) -> dict[str, str]:
    """Process type to command line, in the order of the file. Blank lines and lines that start with # are passed over;
    CRLF is fine. Raises DeployFailed naming the line, the allowed form and an example."""
    conflict.check("Procfile", text)
    processes: dict[str, str] = {}
    first: dict[str, int] = {}
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, command = _read(number, line)
            if name in first:
                raise _bad(number, f'"{name}" is named twice, first in line {first[name]}; keep one of them')
            processes[name], first[name] = command, number
    if not processes:
        raise refuse("Procfile is empty", f'Give a line for each process, e.g. "{EXAMPLE}", or remove the file.', code=CODE)
    return processes


def _read(number: int, line: str) -> tuple[str, str]:
    name, colon, command = line.partition(":")
    name, command = name.strip(), command.strip()
    if not colon:
        raise _bad(number, f'expected "name: command", found "{shown(line.strip())}"')
    if not re.fullmatch(TYPE_FORM, name):
        raise _bad(number, f'expected "name: command", found the name "{shown(name)}": use letters, digits, "-" and "_"')
    if name == ONE_OFF:
        raise _bad(number, f'"{name}" is what one-off commands are called (wherry run); choose another name, e.g. "{name}ner"')
    if not command:
        raise _bad(number, f'expected "name: command", found no command after "{name}:"')
    if len(command) > MAX_COMMAND:
        raise _bad(number, f"the command of {name} has {len(command):,} characters: up to {MAX_COMMAND:,} are allowed; put it in a script")
    if any(ord(character) < 32 and character != "\t" for character in command):
        raise _bad(number, f'the command of {name} holds a control character: "{shown(command)}"')
    return name, command


def _bad(number: int, what: str) -> DeployFailed:
    return refuse(f"Procfile line {number}: {what}", f"For example: {EXAMPLE}", code=CODE)
