"""Config vars as text: the envfile that shells, Docker and dotenv libraries read, and back, byte for byte.

A line is `KEY=value`; `export` before it, empty lines and lines that begin with `#` are passed over. A value stands bare
(then blanks at its end and ` # …` are not of it), in single quotes (all is literal, line ends too) or in double quotes
(where a backslash before n, r, t, a quote, a dollar, a backquote or itself means what it does in a shell or in dotenv).
Quoted pieces may follow each other, as in a shell.
"""

from __future__ import annotations

import re

from wherry.errors import InvalidInput

BARE = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
"""What needs no quotes, for a shell either."""
HEAD = re.compile(r"[ \t]*(?:export[ \t]+)?([^\s='\"#][^\s='\"]*)[ \t]*=[ \t]*")
PASSED_OVER = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")
BARE_VALUE = re.compile(r"[^\r\n]*")
SINGLE = re.compile(r"'([^']*)'")
DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)
ESCAPED_QUOTE = re.compile(r"\\(['\"])")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$", "`": "`"}


def write(config: dict[str, str], prefix: str = "") -> str:
    """One line for each config var, sorted by key; with `prefix` "export " a script for a shell."""
    return "".join(f"{prefix}{key}={quoted(config[key])}\n" for key in sorted(config))


def quoted(value: str) -> str:
    """`value` as envfiles and shells read it alike."""
    if BARE.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'(["\\$`])', r"\\\1", value) + '"'


def read(text: str) -> dict[str, str]:
    """Raises InvalidInput with the line of what can not be read, and for a key that is there twice."""
    found: dict[str, str] = {}
    at = 1 if text.startswith("\ufeff") else 0
    while at < len(text):
        passed = PASSED_OVER.match(text, at)
        if passed:
            at = passed.end()
            continue
        key, value, at = _entry(text, at)
        if key in found:
            raise _at(text, at, f"{_shown(key)} is there twice; give each key once")
        found[key] = value
    return found


def _entry(text: str, at: int) -> tuple[str, str, int]:
    """One `KEY=value` and the place after its line."""
    head = HEAD.match(text, at)
    if head is None:
        raise _at(text, at, "expected KEY=value")
    value, after = _value(text, head.end())
    end = PASSED_OVER.match(text, after)
    if end is None:
        raise _at(text, after, f"{_shown(head[1])} has text after its closing quote")
    return head[1], value, end.end()


def _value(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] not in ("'", '"'):
        bare = BARE_VALUE.match(text, at)
        assert bare is not None
        return re.sub(r"(?<![ \t])[ \t]+#.*\Z|\A#.*\Z", "", bare[0]).rstrip(" \t"), bare.end()
    pieces = ""
    while True:
        piece, at = _piece(text, at)
        pieces += piece
        if text[at : at + 1] not in ("'", '"') and not ESCAPED_QUOTE.match(text, at):
            return pieces, at


def _piece(text: str, at: int) -> tuple[str, int]:
    """One quoted piece, or an escaped quote between two."""
    if found := ESCAPED_QUOTE.match(text, at) or SINGLE.match(text, at):
        return found[1], found.end()
    if found := DOUBLE.match(text, at):
        return re.sub(r"\\(.)", _unescaped, found[1], flags=re.S), found.end()
    raise _at(text, at, "a quote is opened and not closed")


def _unescaped(found: re.Match[str]) -> str:
    return ESCAPES.get(found[1], found[0])


def _at(text: str, at: int, what: str) -> InvalidInput:
    return InvalidInput(f"line {text.count(chr(10), 0, at) + 1}: {what}, e.g. GREETING='hello you'", field="config")


def _shown(key: str) -> str:
    return f'"{ascii(key[:60])[1:-1]}"'
