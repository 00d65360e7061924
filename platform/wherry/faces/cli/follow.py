"""Waiting until what was asked for is true: prints an operation's lines as they come, then how it ended.

The operation is the engine's and goes on without us; Ctrl-C or a lost connection only ends the looking.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from wherry.errors import DeployFailed, Unavailable, WherryError
from wherry.faces.cli.client import Client, Dropped
from wherry.faces.cli.problems import as_text
from wherry.faces.cli.render import as_json, printable
from wherry.faces.cli.session import Session

STILL_HERE = ": still here"
"""The comment by which the API keeps a connection alive."""
PATIENCE = 60.0
"""Seconds that the API may be away, for instance because it is being restarted, before a follower gives up."""

INTERRUPTED = 130

INDENT = " " * 7


class Event(NamedTuple):
    """One server-sent event."""

    name: str
    id: str
    data: str


def settle(session: Session, answer: dict[str, Any]) -> int:
    """Ends a command that changes something: `answer` is an operation, or says that it is done already.

    Returns the exit status: 0 when it is true now, 1 when it failed or was cancelled, 130 after Ctrl-C.
    """
    if "id" not in answer:
        return session.show(answer, printable(str(answer.get("message", "done"))))
    if not session.given.wait:
        return session.show(answer, f"operation {answer['id']} is {answer['state']}; follow it with: wherry operations:log {answer['id']}")
    return watch(session, answer["id"])


def watch(session: Session, number: int) -> int:
    """Prints the operation's lines until it is over, and says how it went."""
    story = Story(session)
    operation: dict[str, Any] = {}
    try:
        for event in follow(session.api, number, Queue(session, number, story).look):
            if event.name == "done":
                operation = parsed(event.data)
            elif not session.given.json:
                story.tell(event.data)
    except KeyboardInterrupt:
        session.terminal.complain(f"\nstill running: wherry operations:info {number}")
        return INTERRUPTED
    return _conclude(session, operation, story)


class Queue:
    """Says once what an operation waits for, when it has said nothing for a second because another of its app is under way."""

    def __init__(self, session: Session, number: int, story: Story) -> None:
        self._session, self._number, self._story = session, number, story
        self._told = session.given.json

    def look(self) -> None:
        if self._told or self._story.spoke:
            return
        api = self._session.api
        mine = api.get(f"/api/operations/{self._number}")
        found = [one for one in api.get("/api/operations", app=mine["app"])["operations"] if one["app"] == mine["app"]]
        before = next((one for one in found if one["id"] < self._number and one["state"] in ("queued", "running")), None)
        if mine["state"] == "queued" and before:
            self._session.terminal.complain(f"waiting for operation {before['id']} ({before['kind']} by {before['actor']})")
        self._told = True


class Story:
    """An operation's lines on their way to a person. A push indents below headings; without a heading there is nothing
    to indent below. What went wrong begins with " !" and belongs to standard error. The platform wrote them in its own name."""

    def __init__(self, session: Session) -> None:
        self._terminal = session.terminal
        self._headed = False
        self.spoke = False
        self.wrong = False

    def tell(self, line: str) -> None:
        self.wrong = self.wrong or line.startswith(" !")
        self._headed = self._headed or self.wrong or line.startswith("----->")
        shown = printable(line if self._headed else line.removeprefix(INDENT))
        self._terminal.complain(shown, [shown]) if self.wrong else self._terminal.say(shown)
        self.spoke = True


def follow(api: Client, number: int, idle: Callable[[], None] = lambda: None) -> Iterator[Event]:
    """The operation's lines, then one event `done` with the operation. A lost connection is taken up where it broke. `idle` is
    called when nothing was said in the first second, and then now and then while there is nothing to say."""
    offset, deadline = "0", time.monotonic() + PATIENCE
    while True:
        try:
            for event in _events(api, number, offset, idle):
                offset, deadline = event.id or offset, time.monotonic() + PATIENCE
                yield event
                if event.name == "done":
                    return
        except (Dropped, Unavailable):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.3)


def _events(api: Client, number: int, offset: str, idle: Callable[[], None]) -> Iterator[Event]:
    answer = api.open("GET", f"/api/operations/{number}/log", query={"follow": "true", "offset": offset}, accept="text/event-stream")
    try:
        yield from read_events(_heard(answer.lines(), idle))
    finally:
        answer.close()


def _heard(lines: Iterator[str], idle: Callable[[], None]) -> Iterator[str]:
    for line in lines:
        if line == STILL_HERE:
            idle()
        yield line


def read_events(lines: Iterator[str]) -> Iterator[Event]:
    """Reads server-sent events (WHATWG HTML, 9.2.6); comments are passed over."""
    name, identity, data = "message", "", list[str]()
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line and data:
            yield Event(name, identity, "\n".join(data))
            name, data = "message", []
        elif field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id":
            identity = value


def parsed(data: str) -> dict[str, Any]:
    """The document that an event carries."""
    import json

    document = json.loads(data)
    return document if isinstance(document, dict) else {}


def _conclude(session: Session, operation: dict[str, Any], story: Story) -> int:
    """Says how it ended. The lines told the story already; without any, the result's own sentence does."""
    failed = operation.get("state") != "succeeded"
    if session.given.json:
        session.terminal.say(as_json(operation))
    elif failed and not story.wrong:
        told = " !     " + as_text(failure_of(operation)).replace("\n", f"\n{INDENT}")
        session.terminal.complain(told, [told])
    elif not failed and not story.spoke:
        session.terminal.say(printable(str((operation.get("result") or {}).get("message") or "done")))
    return 1 if failed else 0


def failure_of(operation: dict[str, Any]) -> WherryError:
    """Why an operation did not reach its end, in its own words."""
    number = operation.get("id")
    error = operation.get("error") or {}
    message = str(error.get("message") or f"operation {number} was {operation.get('state')}")
    hint = str(error.get("hint") or "")
    return DeployFailed(message, hint=hint, code=str(error.get("code") or ""), quoted=(message, hint))  # the engine put the name in
