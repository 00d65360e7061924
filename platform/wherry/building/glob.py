"""Docker's file patterns: `*` and `?` within a folder, `**` across folders, `[a-c]`, and a backslash before a plain character.

A pattern comes from a user, so it must not be able to take for ever: one with few wildcards becomes a regular expression,
which is quick, and one with many is followed state by state, whose time is only pattern times path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

QUICK = 2
"""Up to this many wildcards the time of a regular expression is bearable for the longest path that git stores."""
WITHIN, ACROSS, FOLDERS = "[^/]*", ".*", "(?:.*/)?"
LOOPS = (WITHIN, ACROSS, FOLDERS)


@dataclass(frozen=True)
class Glob:
    """`tokens` are plain characters, small regular expressions for one character, and the three loops."""

    tokens: tuple[str, ...]
    quick: re.Pattern[str] | None

    def matches(self, path: str) -> bool:
        return self.quick.fullmatch(path) is not None if self.quick else self._walk(path)

    def _walk(self, path: str) -> bool:
        states = self._skip({0})
        for character in path:
            states = self._skip({after for state in states if (after := self._step(state, character)) is not None})
        return len(self.tokens) in states

    def _skip(self, states: set[int]) -> set[int]:
        """Every loop may match nothing. (`FOLDERS` is entered at its start, or after a slash: see `_step`.)"""
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state >= 0 and state < len(self.tokens) and self.tokens[state] in LOOPS and state + 1 not in states:
                states.add(state + 1)
                waiting.append(state + 1)
        return states

    def _step(self, state: int, character: str) -> int | None:
        """The state after `character`. Inside FOLDERS, a state is negative until a slash may end it."""
        token = self.tokens[-state - 1] if state < 0 else self.tokens[state] if state < len(self.tokens) else ""
        if token == FOLDERS:
            inside = state if state < 0 else -state - 1
            return -inside - 1 if character == "/" else inside
        if token in (WITHIN, ACROSS):
            return state if token == ACROSS or character != "/" else None
        if len(token) < 2:
            return state + 1 if token == character else None
        return state + 1 if re.fullmatch(token, character, re.DOTALL) else None


def glob(pattern: str) -> Glob:
    """Raises ValueError for a pattern that Docker refuses too."""
    tokens = _tokens(pattern)
    whole = "".join(re.escape(token) if len(token) == 1 else token for token in tokens)
    quick = re.compile(whole, re.DOTALL) if sum(token in LOOPS for token in tokens) <= QUICK else None
    return Glob(tokens, quick)


def _tokens(pattern: str) -> tuple[str, ...]:
    ending = re.fullmatch(r"\*\*([^/*?\[\\][^*?\[\\]*)", pattern)
    if ending:
        return (ACROSS, *ending[1])
    tokens: list[str] = []
    at = 0
    while at < len(pattern):
        token, at = _token(pattern, at)
        if not (token in LOOPS and tokens and tokens[-1] == token):
            tokens.append(token)
    return tuple(tokens)


def _token(pattern: str, at: int) -> tuple[str, int]:
    """What starts at `at`, and where the rest starts."""
    if pattern.startswith("**", at):
        after = at + 2 + (pattern[at + 2 : at + 3] == "/")
        return (ACROSS if after >= len(pattern) else FOLDERS), after
    character = pattern[at]
    if character in "*?":
        return (WITHIN if character == "*" else "[^/]"), at + 1
    if character == "\\":
        if at + 1 == len(pattern):
            raise ValueError("nothing after the backslash")
        return pattern[at + 1], at + 2
    if character == "[":
        return _set(pattern, at)
    return character, at + 1


def _set(pattern: str, at: int) -> tuple[str, int]:
    """`[a-c]` or `[^a-c]`; a backslash takes the next character as it is."""
    match = re.compile(r"\[(\^?)((?:\\.|[^\]\\])+)\]").match(pattern, at)
    if not match:
        raise ValueError("unterminated character set")
    token = f"[{match[1]}" + re.sub(r"([\[&~|])", r"\\\1", match[2]) + "]"
    try:
        re.compile(token)
    except re.error as error:
        raise ValueError(str(error)) from error
    return token, match.end()
