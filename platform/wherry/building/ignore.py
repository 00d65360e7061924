"""Decides which paths a `.dockerignore` leaves out, by the rules of Docker's own reader.

Source of the rules: docs.docker.com, "Build context", section ".dockerignore files": patterns are rooted, `**` crosses
folders, `!` takes back, the last line that matches decides, and a folder stands for what is in it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from wherry.building.failure import refuse, shown


@dataclass(frozen=True)
class Rule:
    back: bool
    form: re.Pattern[str]


@dataclass(frozen=True)
class Ignore:
    """The rules of one file, in order; without rules nothing is left out."""

    rules: tuple[Rule, ...] = ()

    def leaves_out(self, path: str) -> bool:
        """`path` is relative, with `/`, without `./`."""
        candidates = [path, *_parents(path)]
        out = False
        for rule in self.rules:
            if rule.back == out and any(rule.form.fullmatch(candidate) for candidate in candidates):
                out = not out
        return out


def parse(text: str) -> Ignore:
    """Raises DeployFailed for a pattern that Docker refuses too."""
    rules = [rule for number, line in enumerate(text.splitlines(), 1) if (rule := _rule(number, line))]
    return Ignore(tuple(rules))


def _rule(number: int, line: str) -> Rule | None:
    pattern = line.strip()
    if line.startswith("#") or not pattern:
        return None
    back = pattern.startswith("!")
    pattern = pattern.removeprefix("!").strip() if back else pattern
    if not pattern:
        raise refuse(f'.dockerignore line {number}: "!" alone names nothing', "Give a path after it, e.g. !README.md")
    cleaned = posixpath.normpath(pattern)
    cleaned = cleaned.lstrip("/") if len(cleaned) > 1 else cleaned
    try:
        return Rule(back, re.compile(_regex(cleaned), re.DOTALL))
    except re.error as error:
        raise refuse(f'.dockerignore line {number}: "{shown(pattern)}" is not a pattern', "Close the bracket, e.g. [ab]*.txt") from error


def _regex(pattern: str) -> str:
    parts, at = [], 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        parts.append(piece)
    return "".join(parts)


def _piece(pattern: str, at: int) -> tuple[str, int]:
    """The regular expression for what starts at `at`, and where the rest starts."""
    if pattern.startswith("**", at):
        after = at + 2 + (pattern[at + 2 : at + 3] == "/")
        return (".*" if after >= len(pattern) else "(.*/)?"), after
    character = pattern[at]
    if character == "*":
        return "[^/]*", at + 1
    if character == "?":
        return "[^/]", at + 1
    if character == "\\" and at + 1 < len(pattern):
        return re.escape(pattern[at + 1]), at + 2
    if character == "[":
        end = pattern.find("]", at + 2)
        if end < 0:
            raise re.error("unterminated character set")
        return "[" + pattern[at + 1 : end].replace("[", "\\[").replace("\\", "\\\\").replace("&&", "&") + "]", end + 1
    return re.escape(character), at + 1


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
