"""A line of an app's log in Heroku's form, and how any bytes that an app prints become one safe line.

2026-11-21T07:43:05.123456Z app[web.1]: GET / 200
2026-11-21T07:43:05.210433Z wherry[web.1]: State changed from starting to up
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MAX_LINE = 16 * 1024
"""Bytes of text that a line keeps; also the size of the pieces in which Docker hands over longer lines."""

CUT_MARK = " … [cut at 16 KB]"
TIMESTAMP_SIZE = len("2026-11-21T07:43:05.123456Z")

_COLOUR = re.compile("\x1b\\[[0-9;:]*[mK]")
_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_WORD = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}"


class LogRecord(NamedTuple):
    """What happened before it is a line. `timestamp` is RFC 3339 in UTC with at least microseconds
    (`…05.123456Z`, `…05.123456789Z`); `source` is `app`, `wherry` or `heroku`; `process` is `web.1`, `router`."""

    timestamp: str
    source: str
    process: str
    text: bytes | str


def encode(record: LogRecord) -> bytes:
    """The record as one line of UTF-8 with its newline. Raises ValueError for a source or process of another form."""
    timestamp, source, process, text = record
    return b"%s%s%s\n" % (timestamp[:26].encode(), _header(source, process), safe_text(text).encode())


def safe_text(text: bytes | str) -> str:
    """One printable line: colours are taken out, other control characters and broken UTF-8 shown as `\\x1b`, ends cut."""
    cut = len(text) > MAX_LINE and not _is_marked(text)
    shown = _decoded(text[:MAX_LINE] if cut else text).rstrip("\r\n")
    if _UNSAFE.search(shown):
        shown = _UNSAFE.sub(_escaped, _COLOUR.sub("", shown))
    if len(shown) > MAX_LINE + len(CUT_MARK):
        shown, cut = shown[:MAX_LINE], True
    return shown + CUT_MARK if cut else shown


def safe_lines(output: bytes) -> list[str]:
    """The lines of a program's output that say something, each as `safe_text`."""
    return [text for line in output.split(b"\n") if (text := safe_text(line)).strip()]


def marked_as_cut(piece: bytes) -> bytes:
    """The first piece of a line whose rest is thrown away."""
    return whole_characters(piece[:MAX_LINE]) + CUT_MARK.encode()


def whole_characters(piece: bytes) -> bytes:
    """`piece` without the torn character that a cut may have left at its end."""
    for back in range(1, min(4, len(piece)) + 1):
        byte = piece[-back]
        if byte & 0xC0 != 0x80:
            width = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return piece[:-back] if width > back else piece
    return piece


def header_pattern(process: str | None, source: str | None) -> bytes:
    """A regular expression for all of a line before its text. `process` is a type (`web`: all of its instances) or
    an instance (`web.1`); None means any."""
    name = rb"[^\]\n]+" if process is None else re.escape(process.encode()) + rb"(?:\.[0-9]+)?"
    return rb"[0-9T:.-]{26}Z " + (rb"[a-z]+" if source is None else re.escape(source.encode())) + rb"\[" + name + rb"\]: "


@lru_cache(maxsize=1024)
def _header(source: str, process: str) -> bytes:
    if not re.fullmatch(_WORD, source) or not re.fullmatch(_WORD, process):
        raise ValueError(f"{source!a}[{process!a}] is no log source")
    return f"Z {source}[{process}]: ".encode()


def _decoded(text: bytes | str) -> str:
    if isinstance(text, str):
        return text
    return (whole_characters(text) if len(text) == MAX_LINE else text).decode("utf-8", "backslashreplace")


def _is_marked(text: bytes | str) -> bool:
    mark = CUT_MARK if isinstance(text, str) else CUT_MARK.encode()
    return len(text) <= MAX_LINE + len(mark) and text.endswith(mark)  # type: ignore[arg-type]


def _escaped(match: re.Match[str]) -> str:
    return ascii(match[0])[1:-1]
