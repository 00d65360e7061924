"""A run: one command of a person's, in a container of the release (`run.3`) or inside a running instance (`enter`).

An attached run lives as long as its client holds the line; a detached one goes on alone until its time limit.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from wherry.errors import InvalidInput

TYPE = "run"
"""What one-offs are called beside web and worker; no Procfile may have it."""

MAX_COMMAND = 64 * 1024
DETACHED_LIMIT, LONGEST_LIMIT = 24 * 3600, 7 * 24 * 3600
"""Seconds: what a detached run gets unless its person says otherwise (as on Heroku), and the most it can get."""

LEAST_MEMORY, MOST_MEMORY = 16, 1024 * 1024
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Screen:
    """A terminal at the person's end: its size in characters, and its kind as in $TERM."""

    rows: int = 24
    columns: int = 80
    term: str = "xterm"


@dataclass(frozen=True)
class Run:
    """`state` goes waiting → starting → running → ended. `instance` is empty for a one-off, else where the shell is.
    `screen` is None without a terminal. `memory` is MB, `time_limit` seconds (None: as long as its client stays).
    `reason` says why it ended when it did not end by itself; `stopped_by` who asked for that."""

    id: int
    app: str
    number: int
    release: int
    command: tuple[str, ...]
    attached: bool
    actor: str
    via: str
    created_at: str
    memory: int
    instance: str = ""
    screen: Screen | None = None
    time_limit: int | None = None
    state: str = "waiting"
    container: str = ""
    exit_code: int | None = None
    reason: str = ""
    stopped_by: str = ""
    started_at: str | None = None
    finished_at: str | None = None

    @property
    def name(self) -> str:
        return f"{TYPE}.{self.number}"

    @property
    def program(self) -> str:
        """The first word of the command: what events and logs say of it, since the rest may hold a secret."""
        return (self.command[0].split() or [""])[0][:80]

    @property
    def line(self) -> str:
        """The command as one would type it."""
        return self.command[0] if len(self.command) == 1 else shlex.join(self.command)


def check_command(words: list[str]) -> tuple[str, ...]:
    """One word is a line for the shell of the image, or the name of a process type; more are a program and its
    arguments, taken as they are. Raises InvalidInput."""
    if not words or not words[0].strip():
        raise InvalidInput("nothing to run: give a command, e.g. wherry run shop python", field="command")
    if any("\0" in word for word in words):
        raise InvalidInput("a command can not hold a NUL byte", field="command")
    size = sum(len(word.encode("utf-8", "surrogateescape")) + 1 for word in words)
    if size > MAX_COMMAND:
        raise InvalidInput(f"the command has {size:,} bytes: up to {MAX_COMMAND:,} are taken; send the rest on its input", field="command")
    return tuple(words)


def check_screen(rows: int, columns: int, term: str) -> Screen:
    """A size of 0 is a terminal that does not know its own."""
    if not 0 <= rows <= 9999 or not 0 <= columns <= 9999:
        raise InvalidInput(f"a terminal of {rows} x {columns}: give rows and columns from 1 to 9999, e.g. 24 x 80", field="rows")
    kind = term if re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,39}", term) else "xterm"
    return Screen(rows or 24, columns or 80, kind)


def parse_name(text: str) -> int:
    """Reads `run.3`. Raises InvalidInput otherwise."""
    match = re.fullmatch(r"run\.([1-9][0-9]{0,8})", text)
    if not match:
        raise InvalidInput(f"{text[:40]!a}: give a run like run.3 (see: wherry run:list APP)", field="run")
    return int(match[1])


def check_time_limit(seconds: int) -> int:
    if not 1 <= seconds <= LONGEST_LIMIT:
        raise InvalidInput(f"a time limit of {seconds} s: give 1 s to 7 days, e.g. 30m", field="time_limit")
    return seconds


def parse_duration(text: str) -> int:
    """Seconds of `90`, `90s`, `30m`, `24h`, `7d`. Raises InvalidInput."""
    match = re.fullmatch(r"([0-9]{1,7})([smhd]?)", text)
    if not match:
        raise InvalidInput(f"time limit {text[:40]!a}: give a number with s, m, h or d, e.g. 30m", field="time_limit")
    return check_time_limit(int(match[1]) * UNITS[match[2]])


def check_memory(megabytes: int, most: int = MOST_MEMORY) -> int:
    if not LEAST_MEMORY <= megabytes <= most:
        raise InvalidInput(f"memory {megabytes}m: give {LEAST_MEMORY}m to {most}m on this host, e.g. 512m", field="memory")
    return megabytes


def parse_memory(text: str) -> int:
    """MB of `512m` or `2g`. Raises InvalidInput."""
    match = re.fullmatch(r"([0-9]{1,7})([mg])", text.lower())
    if not match:
        raise InvalidInput(f"memory {text[:40]!a}: give a number with m or g, e.g. 512m", field="memory")
    return check_memory(int(match[1]) * (1024 if match[2] == "g" else 1))


def duration(seconds: int) -> str:
    """`90 s`, `30 min`, `24 h`, `7 days`: the largest unit that says it exactly."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds % size == 0 and seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
