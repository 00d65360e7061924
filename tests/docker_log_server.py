"""A small real server on a unix socket that speaks what the collector needs of Docker's protocol: `/containers/<id>/json`
and `/containers/<id>/logs` with follow, since and timestamps, in multiplexed frames. Containers are lists of lines."""

from __future__ import annotations

import json
import socketserver
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PIECE = 16 * 1024
EPOCH = 1_800_000_000


def stamp(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"


@dataclass
class Container:
    """`frames` are (nanoseconds, output, text). What is written without a newline is left out of a follow, as Docker does.
    `stutter` frames of each follow are sent twice, as Docker 20.10 does when its files rotate under a follower; an
    `stuck` is how many follows, the first ones, are sent nothing more, as some versions do after a rotation of the engine's files; an
    `error` of the daemon's own is put in after the first frames of each follow. `file` is where the engine keeps the log, if anywhere."""

    frames: list[tuple[int, int, bytes]] = field(default_factory=list)
    running: bool = True
    clock: int = EPOCH * 10**9
    stutter: int = 0
    error: bytes = b""
    follows: int = 0
    stuck: int = 0
    file: Path | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def write(self, *lines: str | bytes, output: int = 1, step: int = 1_000_000) -> None:
        with self.changed:
            for line in lines:
                self.clock += step
                data = (line if isinstance(line, bytes) else line.encode()) + b"\n"
                for at in range(0, len(data), PIECE):
                    self.frames.append((self.clock, output, data[at : at + PIECE]))
            if self.file and self.file.is_file():
                self._keep(self.frames[-len(lines) :])
            self.changed.notify_all()

    def _keep(self, frames: list[tuple[int, int, bytes]]) -> None:
        assert self.file
        with self.file.open("a") as file:
            for when, output, text in frames:
                entry = {"log": text.decode(), "stream": {1: "stdout", 2: "stderr"}[output], "time": stamp(when)}
                file.write(json.dumps(entry) + "\n")

    def write_without_newline(self, text: bytes) -> None:
        with self.changed:
            self.clock += 1_000_000
            self.frames.append((self.clock, 1, text))

    def rotate(self, keep: int) -> None:
        with self.changed:
            del self.frames[: len(self.frames) - keep]

    def exit(self) -> None:
        with self.changed:
            self.running = False
            self.changed.notify_all()


class DockerLogServer:
    """Use as a context manager. `stop` and `start` are a restart of the daemon; containers live through it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.containers: dict[str, Container] = {}
        self.requests: list[str] = []
        self._server: socketserver.ThreadingUnixStreamServer | None = None

    def __enter__(self) -> DockerLogServer:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def container(self, name: str) -> Container:
        return self.containers.setdefault(name, Container())

    def start(self) -> None:
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    outer._answer(self)

        socketserver.ThreadingUnixStreamServer.daemon_threads = True
        self._stopped = threading.Event()
        self._server = socketserver.ThreadingUnixStreamServer(str(self.path), Handler)
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server is None:
            return
        self._stopped.set()
        for container in self.containers.values():
            with container.changed:
                container.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self.path.unlink()
        self._server = None

    def _answer(self, handler: Any) -> None:
        target = handler.rfile.readline().split()[1].decode()
        while handler.rfile.readline().strip():
            pass
        self.requests.append(target)
        url = urlsplit(target)
        _, _, name, what = url.path.split("/")
        container = self.containers.get(name)
        if container is None:
            handler.wfile.write(b'HTTP/1.0 404 Not Found\r\n\r\n{"message":"No such container"}')
            return
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nServer: test\r\n\r\n")
        if what == "json":
            facts = {"State": {"Running": container.running}, "LogPath": str(container.file or "")}
            handler.wfile.write(json.dumps(facts).encode())
            return
        query = parse_qs(url.query)
        seconds, _, rest = query.get("since", ["0.0"])[0].partition(".")
        self._send(handler, container, int(seconds) * 10**9 + int(rest), follow="follow" in query, stopped=self._stopped)

    def _send(self, handler: Any, container: Container, since: int, follow: bool, stopped: threading.Event) -> None:
        frames, alive = list(container.frames), True
        last: tuple[int, int, bytes] | None = None
        container.follows += follow
        number = container.follows if follow else 0
        while True:
            chunk = []
            for when, output, text in frames:
                if when >= since and (not follow or text.endswith(b"\n") or len(text) == PIECE):
                    payload = stamp(when).encode() + b" " + text
                    chunk.append(struct.pack(">BxxxI", output, len(payload)) + payload)
            if follow and container.error:
                chunk.append(struct.pack(">BxxxI", 3, len(container.error)) + container.error)
            handler.wfile.write(b"".join([*chunk, *chunk[len(chunk) - container.stutter :]] if follow and container.stutter else chunk))
            last = frames[-1] if frames else last
            if not follow or not alive:
                return
            with container.changed:
                if not (stopped.is_set() or not container.running or self._after(container, last)):
                    container.changed.wait(0.5)
                frames, alive = self._after(container, last), container.running
            if 0 < number <= container.stuck:
                frames = []
            if stopped.is_set():
                return

    @staticmethod
    def _after(container: Container, last: tuple[int, int, bytes] | None) -> list[tuple[int, int, bytes]]:
        if last is None:
            return list(container.frames)
        for at in range(len(container.frames) - 1, -1, -1):
            if container.frames[at] is last:
                return container.frames[at + 1 :]
        return list(container.frames)
