"""Reads JSON strictly and remembers where each value stands, so that a message can point at line and column.

Stricter than the standard library: no NaN, no duplicate keys, no numbers without measure, and a nesting that a person
would write (RFC 8259 leaves these limits to the reader).
"""

from __future__ import annotations

import bisect
import json.decoder
import re
from dataclasses import dataclass
from typing import NoReturn

from wherry.building.failure import shown

MAX_DEPTH = 32
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,39})(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
SPACE = re.compile(r"[ \t\r\n]*")
WORDS = {"true": True, "false": False, "null": None}


class JSONError(ValueError):
    """`line` and `column` count from 1."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(what)
        self.what, self.line, self.column = what, line, column

    @property
    def fix(self) -> str:
        """The way out, where the sentence has none of its own."""
        return "" if ": " in self.what else "Correct this place: the file must be valid JSON."


@dataclass(frozen=True)
class Node:
    """A value and where it stands. `value` is a dict of Nodes, a list of Nodes, str, int, float, bool or None;
    `keys` holds where each key of an object stands."""

    value: object
    line: int
    column: int
    keys: dict[str, tuple[int, int]] | None = None

    @property
    def kind(self) -> str:
        names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
        return names.get(type(self.value), "null")


def parse(text: str) -> Node:
    """Raises JSONError for anything but one JSON document."""
    reader = _Reader(text)
    node = reader.read(0)
    reader.skip()
    if reader.at < len(text):
        reader.fail("nothing may follow the document")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def fail(self, what: str, at: int | None = None) -> NoReturn:
        raise JSONError(what, *self.place(self.at if at is None else at))

    def place(self, at: int) -> tuple[int, int]:
        line = bisect.bisect_right(self.lines, at)
        return line, at - self.lines[line - 1] + 1

    def skip(self) -> str:
        """Passes over white space; returns the next character, empty at the end."""
        match = SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def read(self, depth: int) -> Node:
        character, start = self.skip(), self.at
        if depth > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels")
        if character == "{":
            return self.read_object(depth)
        if character == "[":
            return self.read_list(depth)
        return Node(self.read_string() if character == '"' else self.read_scalar(), *self.place(start))

    def read_object(self, depth: int) -> Node:
        start, members, keys = self.at, dict[str, Node](), dict[str, tuple[int, int]]()
        self.at += 1
        while self.more("}", "a key in double quotes", first=not members):
            where = self.at
            if self.text[self.at] != '"':
                self.fail('expected a key in double quotes, e.g. "name"')
            key = self.read_string()
            if key in members:
                self.fail(f'the key "{shown(key, 40)}" is there twice, first in line {keys[key][0]}', where)
            if self.skip() != ":":
                self.fail(f'expected ":" after the key "{shown(key, 40)}"')
            self.at += 1
            keys[key], members[key] = self.place(where), self.read(depth + 1)
        return Node(members, *self.place(start), keys)

    def read_list(self, depth: int) -> Node:
        start, items = self.at, list[Node]()
        self.at += 1
        while self.more("]", "a value", first=not items):
            items.append(self.read(depth + 1))
        return Node(items, *self.place(start))

    def more(self, closing: str, wanted: str, *, first: bool) -> bool:
        """Steps over the comma before the next member, or over the closing bracket and says False."""
        character = self.skip()
        if character == closing:
            self.at += 1
            return False
        if not first:
            if character != ",":
                self.fail(f'expected "," or "{closing}"' + ("" if character else ", found the end of the file"))
            comma, self.at = self.at, self.at + 1
            character = self.skip()
            if character == closing:
                self.fail(f'a comma before "{closing}": remove it', comma)
        if not character:
            self.fail(f'expected {wanted} or "{closing}", found the end of the file')
        return True

    def read_string(self) -> str:
        try:
            text, self.at = json.decoder.scanstring(self.text, self.at + 1, True)  # type: ignore[attr-defined]
        except json.JSONDecodeError as error:
            self.fail(error.msg[0].lower() + error.msg[1:].removesuffix(" at"), error.pos)
        return str(text)

    def read_scalar(self) -> object:
        for word, value in WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        match = NUMBER.match(self.text, self.at)
        if not match:
            found = re.compile(r"[A-Za-z0-9_+.-]{0,20}").match(self.text, self.at)
            self.fail(f"{found[0]} is not JSON" if found and found[0] else "expected a value")
        self.at = match.end()
        return float(match[0]) if re.search(r"[.eE]", match[0]) else int(match[0])
