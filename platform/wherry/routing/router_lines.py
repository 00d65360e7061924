"""A request as one line of the app's log, in Heroku's form: what HAProxy says about it, and what it means. Pure.

    at=info method=GET path="/cart" host=shop.example.org request_id=… fwd="192.0.2.7" dyno=web.1 connect=0ms service=12ms …
    at=error code=H12 desc="Request timeout" method=GET path="/slow" …

HAProxy's own line is words of its own form between blanks; what a visitor chose (method, path) comes last, without
blanks and control characters, and is escaped once more here. So nothing that a visitor sends can end a line or forge a word.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from wherry.routing import haproxy_pages
from wherry.routing.haproxy_config import LINES_OF_APP, LINES_OF_PAGES

WORDS = 19
"""Blanks between the words of HAProxy's line (`log-format` in haproxy.cfg); the path is what follows the last of them."""
LONGEST_PATH = 1000
HEROKU = {
    "H10": "App crashed",
    "H12": "Request timeout",
    "H13": "Connection closed without response",
    "H14": "No web processes running",
    "H18": "Server Request Interrupted",
    "H20": "App boot timeout",
    "H27": "Client Request Interrupted",
    "H80": "Maintenance mode",
    "H81": "Blank app",
}
OURS = {502: "H13", 503: "H10", 504: "H12"}
"""Which code the answers have that HAProxy gives for an app that gave none."""


class RouterLine(NamedTuple):
    """One request. `worker` and `number` count HAProxy's lines, `rate` is how many requests came in the second before it.
    `end` is HAProxy's termination state; `page` names the page that answered instead of the app. Times are in ms, -1 for never."""

    worker: int
    number: int
    app: str
    rate: int
    end: str
    status: int
    page: str
    answered: bool
    instance: str
    client: str
    wait: int
    connect: int
    response: int
    total: int
    size: int
    secure: bool
    request: str
    host: str
    method: str
    path: bytes


def read(line: bytes) -> RouterLine | None:
    """None for a line of another form, and for a request that reached no app."""
    line = line.rstrip(b"\n")
    path = line.split(b" ", WORDS)[-1]
    before = line[: len(line) - len(path)].decode("ascii", "replace")
    text = before.split(" ")
    if len(text) != WORDS + 1 or text[2] == "-" or not before.isprintable():
        return None
    try:
        numbers = {at: int(text[at]) for at in (0, 1, 3, 5, 10, 11, 12, 13, 14)}
    except ValueError:
        return None
    app, end, page, answered, server, client, secure, request, host, method = (text[at] for at in (2, 4, 6, 7, 8, 9, 15, 16, 17, 18))
    return RouterLine(
        numbers[0],
        numbers[1],
        app,
        numbers[3],
        end,
        numbers[5],
        "" if page == "-" else page,
        answered == "1",
        server.partition(":")[2].partition("-")[0],
        client,
        numbers[10],
        numbers[11],
        numbers[12],
        numbers[13],
        numbers[14],
        secure == "1",
        "" if request == "-" else request,
        host,
        method,
        _unescaped(path),
    )


def stands_for(line: RouterLine) -> float:
    """How many requests the line stands for: itself, and under load those that got none."""
    return max(1.0, line.rate / (LINES_OF_APP if line.instance else LINES_OF_PAGES))


def shown(line: RouterLine, query: bool = False) -> str:
    """The text of the log line. `query` shows query strings too."""
    path = line.path if query else line.path.partition(b"?")[0]
    service = line.total - max(0, line.wait) - max(0, line.connect)
    words = [
        *_verdict(line),
        f"method={_word(line.method)}",
        f'path="{_quoted(path)}"',
        f"host={line.host}",
        f"request_id={line.request}",
        f'fwd="{line.client}"',
        f"dyno={line.instance}",
        f"connect={_time(line.connect)}",
        f"service={_time(service if line.instance else -1)}",
        f"status={line.status}",
        f"bytes={line.size}",
        f"protocol={'https' if line.secure else 'http'}",
    ]
    return " ".join(words)


def code_of(line: RouterLine) -> str:
    """The code of what went wrong, empty when nothing did."""
    if line.page:
        code = _page_codes().get(line.page, "")
        return code if code in HEROKU else ""
    if line.end[:1] == "C":
        return "H27"
    if not line.answered:
        return OURS.get(line.status, "")
    return "H18" if line.end[:2] in ("SD", "sD") else ""


def _verdict(line: RouterLine) -> list[str]:
    code = code_of(line)
    if not code:
        return ["at=info"]
    return ["at=warning" if code == "H27" else "at=error", f"code={code}", f'desc="{HEROKU[code]}"']


def _time(milliseconds: int) -> str:
    return f"{milliseconds}ms" if milliseconds >= 0 else ""


def _word(method: str) -> str:
    return method if re.fullmatch(r"[A-Z]{1,20}", method) else f'"{_quoted(method.encode()[:40])}"'


def _quoted(text: bytes) -> str:
    cut = "…" if len(text) > LONGEST_PATH else ""
    decoded = text[:LONGEST_PATH].decode("utf-8", "backslashreplace").replace("\\", "\\\\").replace('"', '\\"')
    if decoded.isprintable():
        return decoded + cut
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in decoded) + cut


def _unescaped(path: bytes) -> bytes:
    """HAProxy writes the bytes that it does not print, and "#", as # and two digits."""
    return re.sub(rb"#([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), path)


@cache
def _page_codes() -> dict[str, str]:
    return {name: page.code for name, page in haproxy_pages.load().items()}
