"""Watches a one-off container to its end: its lines as they come, its deadline, how it ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from wherry import clock
from wherry.errors import DeployFailed
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


def _lines(api: Any, container: str) -> Iterator[str]:
    rest = b""
    for chunk in api.logs(container, stdout=True, stderr=True, stream=True, follow=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (text.decode("utf-8", "replace").rstrip("\r") for text in whole)
    if rest:
        yield rest.decode("utf-8", "replace")
    api.wait(container)


def _kill(api: Any, container: str) -> None:
    from docker.errors import APIError

    try:
        api.kill(container)
    except APIError:
        return
