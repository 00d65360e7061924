"""Turns the visitor pages under `pages/` into what HAProxy reads: one map of page pieces, and the
lines that put them together.

A page is cut where the host is named, because HAProxy's maps hold fixed text: `<name>.<kind>.1`, host, `….2`; the
kind is "json", or nothing for HTML.
"""

from __future__ import annotations

import html
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).parent / "pages"
HOST = "{host}"


@dataclass(frozen=True)
class Page:
    """`refresh` is the number of seconds after which a browser asks again, 0 for never."""

    name: str
    status: int
    code: str
    title: str
    heading: str
    text: str
    refresh: int = 0

    def html(self) -> str:
        """The whole document on one line."""
        refresh = f'<meta http-equiv="refresh" content="{self.refresh}">' if self.refresh else ""
        words = {
            "refresh": refresh,
            "title": html.escape(self.title),
            "heading": _marked(self.heading),
            "text": _marked(self.text),
            "status": str(self.status),
            "code": html.escape(self.code),
        }
        lines = (PAGES / "page.html").read_text("utf-8").splitlines()
        text = " ".join(line for line in lines if line)
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        return text

    def json(self) -> str:
        """The problem document (RFC 9457) on one line; the host is a member of its own, and not in the sentences."""
        named = HOST in self.heading + self.text
        problem: dict[str, object] = {
            "type": f"urn:wherry:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.text.replace(HOST, "This host"),
        }
        return json.dumps({**problem, "host": HOST} if named else problem)


def load() -> dict[str, Page]:
    """Every page by its name."""
    table = tomllib.loads((PAGES / "pages.toml").read_text("utf-8"))
    return {name: Page(name, **fields) for name, fields in table.items()}


def files() -> dict[str, str]:
    """What to write beside the configuration, by file name; `@pages@` stands for the map's own path, `@own@` for the folder
    of the owners' pages as the worker sees it, `@proxy@` for the folder of all these files."""
    pages = load()
    scripts = {"pages.lua": (PAGES / "own_page.lua").read_text("utf-8"), "hold.lua": (PAGES / "hold.lua").read_text("utf-8")}
    written = {**scripts, "pages.map": _map(pages), "page.lf": _log_format("var(txn.page)"), "400.lf": _piece("str(bad-request)", 1)}
    written.update({f"{status}.lf": _log_format(f"str({status})") for status in ("502", "503", "504")})
    return written


def _marked(text: str) -> str:
    # The element also keeps the space after the host: HAProxy drops blanks at the start of a map's value.
    return html.escape(text).replace(HOST, f"<bdi>{HOST}</bdi>")


def _map(pages: dict[str, Page]) -> str:
    lines = []
    for page in pages.values():
        for kind, text in (("", page.html()), ("json", page.json())):
            before, _, after = text.partition(HOST)
            lines.append(f"{page.name}.{kind}.1 {before}\n")
            lines.extend([f"{page.name}.{kind}.2 {after}\n"] if after else [])
    return "".join(lines)


def _log_format(page: str) -> str:
    return _piece(page, 1) + "%[var(txn.host)]" + _piece(page, 2)


def _piece(page: str, number: int) -> str:
    return f"%[{page},concat(.,txn.kind,.{number}),map_str(@pages@)]"
