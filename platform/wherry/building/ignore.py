"""Decides which paths a `.dockerignore` leaves out, by the rules of Docker's own reader.

Source of the rules: docs.docker.com, "Build context", section ".dockerignore files": patterns are rooted, `**` crosses
folders, `!` takes back, the last line that matches decides, and a folder stands for what is in it.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from wherry.building.failure import refuse, shown
from wherry.building.glob import Glob, glob

CODE = "dockerignore_invalid"
MAX_RULES = 500
Verdict = tuple[bool, tuple[bool, ...]]
"""Whether a path is left out, and which rules hold for what is in it."""


@dataclass(frozen=True)
class Rule:
    back: bool
    form: Glob


@dataclass(frozen=True)
class Ignore:
    """The rules of one file, in order; without rules nothing is left out."""

    rules: tuple[Rule, ...] = ()
    _folders: dict[str, Verdict] = field(default_factory=dict, compare=False)

    def leaves_out(self, path: str) -> bool:
        """`path` is relative, with `/`, without `./`."""
        return bool(self.rules) and self._verdict(path)[0]

    def _verdict(self, path: str) -> Verdict:
        """A rule that holds for a folder holds for what is in it. One that could not change the verdict is not looked at,
        so a `!` takes back a folder only when something before it had left that folder out."""
        above = self._folder(path.rpartition("/")[0])[1]
        out, holds = False, []
        for rule, held in zip(self.rules, above, strict=True):
            holds.append(held or (rule.back == out and rule.form.matches(path)))
            out = not rule.back if holds[-1] else out
        return out, tuple(holds)

    def _folder(self, path: str) -> Verdict:
        if path not in self._folders:
            self._folders[path] = self._verdict(path) if path else (False, (False,) * len(self.rules))
        return self._folders[path]


def parse(text: str) -> Ignore:
    """Raises DeployFailed for a pattern that Docker refuses too."""
    rules = tuple(rule for number, line in enumerate(text.splitlines(), 1) if (rule := _rule(number, line)))
    if len(rules) > MAX_RULES:
        raise refuse(f".dockerignore has {len(rules):,} patterns: up to {MAX_RULES} are allowed", "Leave out whole folders.", code=CODE)
    return Ignore(rules)


def _rule(number: int, line: str) -> Rule | None:
    pattern = line.strip()
    if line.startswith("#") or not pattern:
        return None
    back = pattern.startswith("!")
    pattern = pattern.removeprefix("!").strip() if back else pattern
    if not pattern:
        raise refuse(f'.dockerignore line {number}: "!" alone names nothing', "Give a path after it, e.g. !README.md", code=CODE)
    cleaned = posixpath.normpath(pattern)
    cleaned = cleaned.lstrip("/") if len(cleaned) > 1 else cleaned
    try:
        return Rule(back, glob(cleaned))
    except ValueError as error:
        hint = "Close the bracket, e.g. [ab]*.txt"
        raise refuse(f'.dockerignore line {number}: "{shown(pattern)}" is not a pattern', hint, code=CODE) from error
