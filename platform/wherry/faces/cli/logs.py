"""`wherry logs`: what an app printed and what the platform did to it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from wherry.errors import InvalidInput, Unavailable
from wherry.faces.cli.client import Dropped
from wherry.faces.cli.follow import INTERRUPTED, PATIENCE, read_events
from wherry.faces.cli.render import as_json, printable, quoted
from wherry.faces.cli.session import Session

COLOURS = r"(\x1b\[[0-9;]{0,20}m)"
"""The one kind of escape sequence that an app may send to a terminal: it colours and does nothing else."""


def show(session: Session) -> int:
    query = _query(session)
    if "--tail" in session.given.options:
        return _tail(session, query)
    if session.given.json:
        return session.show(session.api.get(session.app_path("/logs"), **query), "")
    lines = list(session.api.open("GET", session.app_path("/logs"), query=query, accept="text/plain").lines())
    if lines:
        session.terminal.say("\n".join(shown(line, session.terminal.colour) for line in lines))
    return 0


def shown(line: str, colour: bool) -> str:
    """A line of an app, with its colours on a terminal that wants them and without anything else a terminal would obey."""
    parts = re.split(COLOURS, line)
    kept = [part if index % 2 and colour else "" if index % 2 else printable(part) for index, part in enumerate(parts)]
    return "".join(kept) + ("\x1b[0m" if colour and len(parts) > 1 else "")


def _query(session: Session) -> dict[str, str | None]:
    given = session.given
    source = given.option("--source")
    if source not in (None, "app", "wherry"):
        raise InvalidInput(f"--source {quoted(source or '')}: give app or wherry", field="source")
    number = given.number("--num", 100, 10000)
    return {"n": str(number), "process": given.option("--ps"), "source": source, "grep": given.option("--grep")}


def _tail(session: Session, query: dict[str, str | None]) -> int:
    """Prints lines until Ctrl-C; an API that comes back is followed again."""
    try:
        for line in _endless(session, query):
            session.terminal.say(as_json({"line": line}) if session.given.json else shown(line, session.terminal.colour))
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _endless(session: Session, query: dict[str, str | None]) -> Iterator[str]:
    """The lines of all connections one after the other; ends when the API ends the stream, as it does with a deleted app."""
    deadline = time.monotonic() + PATIENCE
    started = False
    while True:
        try:
            answer = session.api.open("GET", session.app_path("/logs"), query={**query, "follow": "true"}, accept="text/event-stream")
            if started:
                session.terminal.complain("following again; what was printed in between is in: wherry logs " + session.given.app)
            started = True
            for event in read_events(answer.lines()):
                deadline = time.monotonic() + PATIENCE
                yield event.data
            return
        except (Dropped, Unavailable) as error:
            if not started or error.code == "too_many_followers" or time.monotonic() > deadline:
                raise
        query = {**query, "n": "0"}
        time.sleep(0.5)
