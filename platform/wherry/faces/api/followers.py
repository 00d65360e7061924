"""Those who listen to a log as it grows: a cap on how many, and an end when they hang up or the platform stops.

Each holds one thread of the server, so there are fewer places than threads.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

from flask import Request, Response

from wherry import clock
from wherry.errors import Unavailable
from wherry.faces.api.problems import TransportError

PLACES = 16
HEARTBEAT = 15.0
TEXT, JSON, EVENTS = "text/plain", "application/json", "text/event-stream"


class Followers:
    """The places. `stopping` ends all streams at their next beat, about a second later."""

    def __init__(self, places: int = PLACES) -> None:
        self.stopping = False
        self._free = threading.BoundedSemaphore(places)
        self._places = places

    def stream(self, body: Iterator[str], mimetype: str, request: Request) -> Response:
        """An answer that goes on. Raises Unavailable when all places are taken."""
        if request.method == "HEAD":  # has no body, and werkzeug then never says that it is over
            return Response(mimetype=mimetype)
        if not self._free.acquire(blocking=False):
            raise Unavailable(f"all {self._places} places for followers are taken", hint="Try again later.", code="too_many_followers")
        answer = Response(body, mimetype=mimetype, headers={"X-Accel-Buffering": "no"})
        answer.call_on_close(self._free.release)
        return answer

    def lines(self, source: Iterator[str | None], request: Request) -> Iterator[str | None]:
        """`source` until it ends, the client is gone or the platform stops; None is a beat without news."""
        for line in source:
            if self.stopping or (line is None and _is_gone(request.environ.get("gunicorn.socket"))):
                return
            yield line


def as_text(lines: Iterator[str | None]) -> Iterator[str]:
    yield ""  # sends the headers now: the first line may be hours away
    for line in lines:
        if line is not None:
            yield f"{line}\n"


def as_events(lines: Iterator[str | None]) -> Iterator[str]:
    """Server-sent events, one line each, and a comment when nothing was said for a while: the first at the first beat, for a
    follower that would say what is waited for, the others to keep the connection."""
    yield ": following\n\n"
    spoke, patience = clock.monotonic(), 0.0
    for line in lines:
        if line is not None:
            yield f"data: {line}\n\n"
        elif clock.monotonic() - spoke >= patience:
            yield ": still here\n\n"
        else:
            continue
        patience = HEARTBEAT
        spoke = clock.monotonic()


def as_numbered_events(lines: Iterator[str | None], offset: int) -> Iterator[str]:
    """As above, and each event's id is the byte offset after its line, so that a reader can go on from there."""

    def numbered() -> Iterator[str | None]:
        at = offset
        for line in lines:
            if line is None:
                yield None
            else:
                at += len(line.encode("utf-8", "replace")) + 1
                yield f"{line}\nid: {at}"

    return as_events(numbered())


def form_of(request: Request, follow: bool) -> str:
    """Which form the client wants of a log: text unless it asks for another. Raises TransportError 406."""
    offers = [TEXT, EVENTS] if follow else [TEXT, JSON]
    if not request.headers.get("Accept"):
        return TEXT
    found = request.accept_mimetypes.best_match(offers)
    if found is None:
        hint = "Events come with follow=true only." if EVENTS in request.accept_mimetypes.values() else ""
        raise TransportError(406, f"this log comes as {' or '.join(offers)}", hint=hint, code="not_acceptable", field="Accept")
    return found


def _is_gone(sock: socket.socket | None) -> bool:
    try:
        return sock is not None and sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
