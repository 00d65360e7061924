"""One conversation: a process of ours, its three streams on an SSH channel, and the end of both.

Whoever ends first ends the other: when the process exits, its status goes to the client; when the client is gone, the
process and its children get SIGHUP, and SIGKILL if that is not enough. Deploys are not among them: the engine works.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from wherry.receiving import no_terminal
from wherry.receiving.ssh_library import paramiko

CHUNK = 256 * 1024
GONE = (OSError, EOFError, paramiko.SSHException)
"""What talking to a client raises that is not there any more."""

TIDYING = 1.0
"""Seconds between the end of the input and SIGHUP: git, cut off in a pack, cleans up best when it notices by itself."""

LAST_WORDS = 5.0
"""Seconds between SIGHUP and SIGKILL."""


class Session:
    """Joins `process` (all three streams are pipes, its own process group) to `channel`.

    `raw` is for clients whose terminal is in raw mode: see `no_terminal`.
    """

    def __init__(self, channel: Any, process: Any, raw: bool = False) -> None:
        self._channel = channel
        self._process = process
        self._raw = raw
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def run(self) -> int:
        """Blocks until the process has ended and all it said was sent; returns its exit status, 128+n for signal n."""
        _thread(self._feed)
        self._talk()
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._ended.set()
            status = int(self._process.wait())
        return status if status >= 0 else 128 - status

    def _talk(self) -> None:
        """Sends all that the process says."""
        complaints = _thread(lambda: self._copy(self._process.stderr, self._channel.sendall_stderr))
        self._copy(self._process.stdout, self._channel.sendall)
        complaints.join()

    def hang_up(self) -> None:
        """Ends the process as the end of a terminal would, then by force."""
        self._signal(signal.SIGHUP)
        if not self._ended.wait(LAST_WORDS):
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with self._lock, suppress(ProcessLookupError):
            if not self._ended.is_set():
                os.killpg(self._process.pid, number)

    def _feed(self) -> None:
        """What the client sends goes to the process; then this thread waits until the channel is closed, by either side."""
        self._listen()
        self._channel.status_event.wait()
        if not self._ended.wait(TIDYING):
            self.hang_up()

    def _listen(self) -> None:
        with self._process.stdin as stdin:
            os.set_blocking(stdin.fileno(), False)
            while data := self._receive():
                if not self._take(stdin.fileno(), data):
                    break

    def _receive(self) -> bytes:
        """Empty when the process has ended, or the client sends no more or left. Reading sends too: it makes room for more,
        which fails when the line was cut in this moment."""
        if self._ended.is_set():
            return b""
        try:
            return bytes(self._channel.recv(CHUNK))
        except GONE:
            return b""

    def _take(self, descriptor: int, data: bytes) -> bool:
        """False when nothing more is to be read from the client."""
        if not self._raw:
            return self._write(descriptor, data)
        typed = no_terminal.typed(data)
        if typed.interrupt:
            self._signal(signal.SIGINT)
        return self._write(descriptor, typed.text) and not typed.end

    def _write(self, descriptor: int, data: bytes) -> bool:
        """False when the process reads no more, or the client left while it was not reading."""
        rest = memoryview(data)
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                poll.poll(1000)
                if self._channel.closed or self._ended.is_set():
                    return False
            except BrokenPipeError:
                return False
        return True

    def _copy(self, source: IO[bytes], send: Callable[[bytes], None]) -> None:
        """Sends all that `source` says. Once the client is gone it is only read: a closed pipe would kill git half-way
        in its own clean-up."""
        listening = True
        with source:
            while data := os.read(source.fileno(), CHUNK):
                try:
                    if listening:
                        send(no_terminal.shown(data) if self._raw else data)
                except GONE:
                    listening = False


def _thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
