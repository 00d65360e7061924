"""Speaks HAProxy's runtime API on a unix socket: many commands on one connection, each answered before the next."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from wherry.errors import Unavailable

TIMEOUT = 5.0
QUIET = frozenset({"", "New server registered.", "Server deleted."})
"""What HAProxy answers to a command that changed something; anything else is a refusal."""


class Closed(Unavailable):
    """HAProxy closed the connection in the middle of an answer: the process that was asked has ended."""


class HaproxySession:
    """One connection in interactive mode, where every answer ends with a prompt."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(TIMEOUT)

    def __enter__(self) -> HaproxySession:
        try:
            with _translated():
                self._socket.connect(str(self._path))
                self.ask("prompt")
        except Unavailable:
            self._socket.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def ask(self, command: str) -> str:
        """Sends one command and returns its answer without the surrounding blank lines."""
        self.send(command)
        with _translated():
            return self._read().strip()

    def send(self, command: str) -> None:
        """Sends one command whose answer is of no interest."""
        if "\n" in command or ";" in command or "\\" in command:
            raise ValueError(f"not one command: {command!a}")
        with _translated():
            self._socket.sendall(command.encode("ascii") + b"\n")

    def load(self, command: str, payload: str) -> str:
        """Sends one command with lines of text that belong to it, none of them empty; returns its answer."""
        if "\n" in command or "\n\n" in payload or not payload.isascii():
            raise ValueError(f"not one command: {command!a}")
        with _translated():
            self._socket.sendall(f"{command} <<\n{payload.strip()}\n\n".encode("ascii"))
            return self._read().strip()

    def do(self, *commands: str) -> None:
        """Runs commands that change something. Raises Unavailable at the first that HAProxy refuses."""
        for command in commands:
            answer = self.ask(command)
            if answer not in QUIET:
                raise Unavailable(f"HAProxy refused {command.split(' ', 2)[:2]}: {answer.splitlines()[0]}", code="proxy_refused")

    def _read(self) -> str:
        # A prompt is "> ", or "master> " on the master's socket; no answer of ours has a line like it.
        answer = b""
        while not answer.endswith(b"> ") or not _is_prompt(answer.rpartition(b"\n")[2]):
            data = self._socket.recv(65536)
            if not data:
                raise Closed("HAProxy ended in the middle of an answer", hint="See: wherry doctor", code="proxy_unavailable")
            answer += data
        return answer.rpartition(b"\n")[0].decode("ascii", "replace")


def _is_prompt(line: bytes) -> bool:
    return line in (b"> ", b"master> ") or (line.endswith(b"> ") and b" " not in line[:-1])


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"HAProxy does not answer ({error.strerror or error})", hint="See: wherry doctor", code="proxy_unavailable"
        ) from error
