"""Watches a command to its end, in a container of its own or inside an instance: its lines, its deadline, how it ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from wherry import clock
from wherry.errors import DeployFailed
from wherry.model.log_line import safe_lines, safe_text
from wherry.running.conversation import Conversation, Demultiplexer
from wherry.running.engine import InstanceSpec, OneOff


def watched(api: Any, container: str, spec: InstanceSpec, timeout: int, line: Callable[[str], None] | None) -> OneOff:
    """Blocks until the container has ended; `line` hears each line. Raises DeployFailed after `timeout` seconds."""
    end = clock.monotonic() + timeout
    killer = threading.Timer(timeout, _kill, [api, container])
    killer.start()
    try:
        lines = [text for text in _lines(api, container) if line is None or line(text) is None]
        state = api.inspect_container(container)["State"]
    finally:
        killer.cancel()
    if clock.monotonic() >= end:
        raise DeployFailed(
            f"{spec.type} did not end within {timeout} s", code="release_timeout", evidence=tuple(lines[-20:]), source=spec.type
        )
    return OneOff(int(state["ExitCode"]), bool(state.get("OOMKilled")), tuple(lines[-20:]))


def run_out(talk: Conversation, timeout: float) -> OneOff:
    """Reads what a program inside an instance says, until it has ended or its time is over; then it is killed."""
    end = clock.monotonic() + timeout
    try:
        talk.begin()
        said, over = _heard(talk, end)
        if not over:
            talk.kill()
        return OneOff(talk.ending().exit_code if over else None, False, tuple(safe_lines(said)[-20:]))
    finally:
        talk.close()


def _heard(talk: Conversation, end: float) -> tuple[bytes, bool]:
    """The last 64 KB of what was said, and whether the program came to its end."""
    reader, said, data = Demultiplexer(), b"", talk.early
    while True:
        said = (said + b"".join(piece for _, piece in reader.feed(data)))[-65536:]
        talk.line.settimeout(max(0.01, end - clock.monotonic()))
        try:
            data = talk.line.recv(65536)
        except TimeoutError:
            return said, False
        if not data or clock.monotonic() >= end:
            return said, not data


def _lines(api: Any, container: str) -> Iterator[str]:
    rest = b""
    for chunk in api.logs(container, stdout=True, stderr=True, stream=True, follow=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (safe_text(text) for text in whole)
    if rest:
        yield safe_text(rest)
    api.wait(container)


def _kill(api: Any, container: str) -> None:
    from docker.errors import APIError

    try:
        api.kill(container)
    except APIError:
        return
