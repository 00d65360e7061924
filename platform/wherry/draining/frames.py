"""A line of a log as syslog says it (RFC 5424), and as Heroku's log drains post it. Pure.

<190>1 2026-11-21T07:43:05.123456Z shop app web.1 - - GET / 200         over TCP and TLS with its length before it (RFC 6587)
71 <190>1 2026-11-21T07:43:05.123456Z shop app web.1 - GET / 200        in a POST of application/logplex-1: without the last "-"
"""

from __future__ import annotations

import re

LINE = re.compile(r"([^ ]{20,32}) ([a-z]+)\[([^\]]{1,128})\]: (.*)", re.DOTALL)
APP, OURS = 190, 158
"""local7.info and local3.info, as on Heroku."""


def syslog(app: str, line: str) -> bytes:
    """One message, without a frame. HOSTNAME is the app, APP-NAME the source, PROCID the instance."""
    return _message(app, line, " - -")


def counted(message: bytes) -> bytes:
    """With its length before it, so that no text can end a message."""
    return b"%d %s" % (len(message), message)


def logplex(app: str, lines: list[str]) -> bytes:
    """The body of one post."""
    return b"".join(counted(_message(app, line, " -") + b"\n") for line in lines)


def _message(app: str, line: str, rest: str) -> bytes:
    match = LINE.fullmatch(line)
    at, source, process, text = match.groups() if match else ("-", "wherry", "logs", line)
    return f"<{APP if source == 'app' else OURS}>1 {at} {app} {source} {process}{rest} {text}".encode("utf-8", "replace")
