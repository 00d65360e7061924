"""Conversations over Docker: a one-off container of its own, and a program inside a running one.

Docker can not end a program that it started inside a container, so that is done by its process on the host, and only
after the kernel's tables have shown that this process is the container's.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from wherry import clock
from wherry.errors import Unavailable
from wherry.running.conversation import Ending
from wherry.running.docker_client import translated, until_it_hears
from wherry.running.processes import descendants

ENDS_WITHIN = 5.0
"""Seconds that the engine may take to know an exit code once the line has ended."""


@contextmanager
def forgiving() -> Iterator[None]:
    """For what may be gone already, and for an engine that is away: then there is nothing to do here."""
    from docker.errors import APIError

    with suppress(APIError, Unavailable), translated():
        yield


class ContainerConversation:
    """Implements `Conversation` over a container that was created for it. `remove` takes it away."""

    def __init__(self, api: Any, container: str, line: tuple[socket.socket, bytes], tty: bool, begin: Callable[[], None]) -> None:
        self._api = api
        self._begin = begin
        self.container = container
        self.line, self.early = line
        self.tty = tty

    def begin(self) -> None:
        self._begin()

    def resize(self, rows: int, columns: int) -> None:
        with forgiving():
            self._api.resize(self.container, height=rows, width=columns)

    def signal(self, name: str) -> None:
        with forgiving():
            until_it_hears(self._api, self.container)
            self._api.kill(self.container, signal=f"SIG{name}")

    def kill(self) -> None:
        with forgiving():
            self._api.kill(self.container, signal="SIGKILL")

    def ending(self) -> Ending:
        end = clock.monotonic() + ENDS_WITHIN
        while clock.monotonic() < end:
            with forgiving():
                state = self._api.inspect_container(self.container)["State"]
                if not state["Running"]:
                    return Ending(int(state["ExitCode"]), bool(state.get("OOMKilled")))
                clock.sleep(0.02)
                continue
            break
        return Ending(None)

    def close(self) -> None:
        self.line.close()
        with forgiving():
            self._api.remove_container(self.container, force=True, v=True)


class ShellConversation:
    """Implements `Conversation` over a program that was started inside a container."""

    def __init__(self, api: Any, container: str, execution: str, line: tuple[socket.socket, bytes], tty: bool) -> None:
        self._api = api
        self._execution = execution
        self.container = container
        self.line, self.early = line
        self.tty = tty

    def begin(self) -> None:
        """It runs since its line was opened."""

    def resize(self, rows: int, columns: int) -> None:
        with forgiving():
            self._api.exec_resize(self._execution, height=rows, width=columns)

    def signal(self, name: str) -> None:
        pid = self._pid()
        if pid:
            _send(pid, getattr(signal, f"SIG{name}"))

    def kill(self) -> None:
        """With all that it started: stopped first, since a shell that loops would start the next while we look."""
        pid = self._pid()
        stopped: list[int] = []
        while fresh := [process for process in ([pid, *descendants(pid)] if pid else []) if process not in stopped]:
            for process in fresh:
                _send(process, signal.SIGSTOP)
            stopped += fresh
        for process in stopped:
            _send(process, signal.SIGKILL)

    def ending(self) -> Ending:
        end = clock.monotonic() + ENDS_WITHIN
        while clock.monotonic() < end:
            facts = self._facts()
            if not facts.get("Running"):
                return Ending(facts.get("ExitCode"))
            clock.sleep(0.02)
        return Ending(None)

    def close(self) -> None:
        self.line.close()

    def _facts(self) -> dict[str, Any]:
        with forgiving():
            return dict(self._api.exec_inspect(self._execution))
        return {}

    def _pid(self) -> int:
        """The host's number of the program, 0 when it is over or is not surely the one that Docker means."""
        facts = self._facts()
        pid = int(facts.get("Pid") or 0)
        if not facts.get("Running") or not pid:
            return 0
        with suppress(OSError):
            return pid if self.container in Path(f"/proc/{pid}/cgroup").read_text("utf-8") else 0
        return 0


def _send(pid: int, number: int) -> None:
    with suppress(OSError):
        os.kill(pid, number)
