"""Runs the command line as people do: in this process with streams of its own, or as the program that is started."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from free_ports import free_port
from wherry.faces.cli.main import main
from wherry.faces.cli.terminal import Terminal

PROGRAM = Path(__file__).parents[1] / "platform" / "wherry" / "faces" / "cli" / "main.py"
ARGV = [sys.executable, "-I", "-S", str(PROGRAM)]

SERVE = """
import sys
sys.path.insert(0, sys.argv[1])
from wherry import settings
from wherry.faces.api.server import serve
serve(settings.load())
"""


class Ran(NamedTuple):
    status: int
    out: str
    err: str


def run(words: list[str], environ: dict[str, str], stdin: bytes = b"") -> Ran:
    """One command in this process."""
    out, err = io.StringIO(), io.StringIO()
    status = main(words, Terminal(environ, io.BytesIO(stdin), out, err))
    return Ran(status, out.getvalue(), err.getvalue())


def run_program(words: list[str | bytes], environ: dict[str, str], stdin: bytes = b"") -> Ran:
    """One command as a program of its own, started as the SSH receiver starts it."""
    done = subprocess.run([*ARGV, *words], env=environ, input=stdin, capture_output=True, timeout=20, check=False)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


class OddServer:
    """Answers on a unix socket with exactly the bytes it was given, one connection each, and keeps what it was sent."""

    def __init__(self, home: Path, *answers: bytes) -> None:
        self.asked: list[bytes] = []
        (home / "run").mkdir(parents=True, exist_ok=True)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(home / "run" / "api.sock"))
        self._door.listen()
        self._thread = threading.Thread(target=self._serve, args=(answers,), daemon=True)

    def __enter__(self) -> OddServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.close()
        self._thread.join(5)

    def _serve(self, answers: tuple[bytes, ...]) -> None:
        for answer in answers:
            try:
                connection, _ = self._door.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(65536))
                connection.sendall(answer)


def answer(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*pieces: bytes, whole: bool = True) -> bytes:
    """An answer in chunks, as gunicorn streams; without its end when it is not `whole`."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + (b"0\r\n\r\n" if whole else b"")


@contextmanager
def real_api(home: Path, **words: str) -> Iterator[dict[str, str]]:
    """The control API as a process of its own over this home; yields the environment in which `wherry` finds it. `words` are
    settings of both."""
    port = free_port()
    environ = {"WHERRY_HOME": str(home), "WHERRY_API_PORT": str(port), "PATH": os.environ["PATH"], **words}
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(PROGRAM.parents[3])], env=environ)
    try:
        _until_it_answers(home / "run" / "api.sock", server)
        yield environ
    finally:
        server.terminate()
        server.wait(15)


def _until_it_answers(path: Path, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as door:
            if door.connect_ex(str(path)) == 0:
                return
        assert server.poll() is None, "the API ended"
        time.sleep(0.02)
    raise AssertionError("the API does not answer")
