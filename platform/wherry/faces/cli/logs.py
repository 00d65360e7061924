"""`wherry logs` and `logs:set`: what an app printed, its requests, what the platform did to it, and how much of that is kept."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from wherry.errors import InvalidInput, Unavailable
from wherry.faces.cli.client import Dropped
from wherry.faces.cli.follow import INTERRUPTED, PATIENCE, read_events
from wherry.faces.cli.render import facts, printable, quoted
from wherry.faces.cli.session import Session

COLOURS = r"(\x1b\[[0-9;]{0,20}m)"
"""The one kind of escape sequence that an app may send to a terminal: it colours and does nothing else."""


HEADS = {"app": "36", "heroku": "35", "wherry": "33"}
"""Colours of a line's head by its source: cyan, magenta, yellow."""


def show(session: Session) -> int:
    query = _query(session)
    if "--tail" in session.given.options:
        return _tail(session, query)
    if session.given.json:
        return session.show(session.api.get(session.app_path("/logs"), **query), "")
    lines = list(session.api.open("GET", session.app_path("/logs"), query=query, accept="text/plain").lines())
    if lines:
        session.terminal.say("\n".join(_told(session, line) for line in lines))
    else:
        session.terminal.complain(f"no such line in the log of {session.given.app}")
    return 0


def set_fields(session: Session) -> int:
    words = session.given.many("NAME=VALUE")
    path = session.app_path("/log-settings")
    document = session.api.send("PATCH", path, wished(words)) if words else session.api.get(path)
    if "message" in document:  # nothing was to be done
        return session.show(document, printable(str(document["message"])))
    return session.show(document, _kept(document))


def wished(words: list[str]) -> dict[str, Any]:
    """Reads `["router=off", "max-size=32"]`; as on Dokku, `max-size 32m` is two words. Raises InvalidInput."""
    if len(words) == 2 and words[0] == "max-size":
        words = ["=".join(words)]
    return dict(_wish(word) for word in words)


def _wish(word: str) -> tuple[str, Any]:
    name, sign, value = word.partition("=")
    if sign and name in ("router", "query") and value in ("on", "off"):
        return name, value == "on"
    if sign and name == "max-size" and re.fullmatch(r"([0-9]{1,6}[mM]?)?", value):
        return "max_size", int(value.rstrip("mM")) if value else None
    raise InvalidInput(f"{quoted(word)}: give router=on, router=off, query=on, query=off or max-size=32 (MB)", field="logs")


def _kept(document: dict[str, Any]) -> str:
    size = f"{document['max_size']} MB" if document["max_size"] else "as much as WHERRY_LOG_SIZE says"
    router = "on" if document["router"] else "off"
    query = "shown" if document["query"] else "left out"
    return facts([("router lines", router), ("query strings", query), ("kept on disk", size)])


def shown(line: str, colour: bool) -> str:
    """A line of an app, with its colours on a terminal that wants them and without anything else a terminal would obey."""
    parts = re.split(COLOURS, line)
    kept = [part if index % 2 and colour else "" if index % 2 else printable(part) for index, part in enumerate(parts)]
    return "".join(kept) + ("\x1b[0m" if colour and len(parts) > 1 else "")


def _told(session: Session, line: str) -> str:
    """A line as the person wants it: with its head in a colour of its source, or without."""
    head, sign, text = line.partition("]: ")
    colour = session.terminal.colour
    if not sign:
        return shown(line, colour)
    if "--quiet" in session.given.options:
        return shown(text, colour)
    if not colour:
        return shown(line, colour)
    number = HEADS.get(head.partition("Z ")[2].partition("[")[0], HEADS["wherry"])
    return f"\x1b[{number}m{printable(head)}]:\x1b[0m {shown(text, colour)}"


def _document(line: str) -> str:
    """One line as a document on one line, for programs that follow."""
    import json

    match = re.fullmatch(r"(?s)([^ ]+) ([a-z]+)\[([^\]]+)\]: (.*)", line)
    if match is None:
        return json.dumps({"line": line})
    source = {"heroku": "router", "wherry": "platform"}.get(match[2], match[2])
    return json.dumps({"line": line, "at": match[1], "source": source, "process": match[3], "text": match[4]})


def _query(session: Session) -> dict[str, str | None]:
    given = session.given
    source = given.option("--source")
    if source not in (None, "app", "router", "platform", "wherry", "heroku"):
        raise InvalidInput(f"--source {quoted(source or '')}: give app, router or platform", field="source")
    number = given.number("--num", 10000 if "--since" in given.options and "--num" not in given.options else 100, 10000)
    words = {name: given.option(f"--{name}") for name in ("grep", "since", "until")}
    return {"n": str(number), "process": given.option("--ps"), "source": source, **words}


def _tail(session: Session, query: dict[str, str | None]) -> int:
    """Prints lines until Ctrl-C; an API that comes back is followed again."""
    try:
        for line in _endless(session, query):
            session.terminal.say(_document(line) if session.given.json else _told(session, line))
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
        query = {**query, "n": "0", "since": None}
        time.sleep(0.5)
