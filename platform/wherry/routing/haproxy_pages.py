"""Turns the visitor pages under `pages/` into what HAProxy reads: one map of page pieces, and two plain 400/408 answers.

A page is cut where the host is named, because HAProxy's maps hold fixed text: `<name>.<html|json>.1`, host, `….2`.
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
    heading: str
    text: str
    refresh: int = 0

    def html(self) -> str:
        """The whole document on one line."""
        refresh = f'<meta http-equiv="refresh" content="{self.refresh}">' if self.refresh else ""
        words = {
            "refresh": refresh,
            "title": html.escape(self.heading.replace(f"{HOST} ", "").capitalize()),
            "heading": html.escape(self.heading),
            "text": html.escape(self.text),
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
            "title": self.heading.replace(f"{HOST} ", "").capitalize(),
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
    """What to write beside the configuration, by file name; `@pages@` stands for the map's own path."""
    pages = load()
    written = {"pages.map": _map(pages), "page.lf": _log_format("var(txn.page)")}
    written.update({f"{status}.lf": _log_format(f"str({status})") for status in ("502", "503", "504")})
    written["400.http"] = _raw(pages["bad-request"], "400 Bad Request")
    written["408.http"] = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    return written


def _map(pages: dict[str, Page]) -> str:
    lines = []
    for page in pages.values():
        for kind, text in (("html", page.html()), ("json", page.json())):
            before, _, after = text.partition(HOST)
            lines.append(f"{page.name}.{kind}.1 {before}\n")
            lines.extend([f"{page.name}.{kind}.2 {after}\n"] if after else [])
    return "".join(lines)


def _log_format(page: str) -> str:
    piece = "%[" + page + ",concat(.,txn.kind,.{n}),map_str(@pages@)]"
    return piece.format(n=1) + "%[var(txn.host)]" + piece.format(n=2)


def _raw(page: Page, status: str) -> str:
    body = page.html()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}"
