"""A platform for tests of `run` and `enter`: a real Docker engine, the engine and the API as processes, the command line as people
have it, and a person at a terminal."""

import os
import pty
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ
from typing import Any

from api_support import Served, served
from cli_support import ARGV
from engine_support import docker_engine
from free_ports import free_port
from platform_support import settings_in
from receiving_support import Person, person
from stored_platform import ADMIN, deployed
from wherry import clock
from wherry.access.require import require
from wherry.receiving.server import Doors, Receiver
from wherry.running import docker_client
from wherry.services import keys, logins, platform, users
from wherry.services.platform import Platform
from wherry.store import instances, runs
from wherry.store.app_logs import AppLogs
from wherry.wiring import cli_argv

LASTS = ("sh", "-c", "echo up; exec sleep 1000")
"""A program for `begun`."""
ENGINE = Path(__file__).parent / "run_engine.py"


@dataclass
class Typist:
    """A person at a terminal of their own, where a program runs."""

    process: subprocess.Popen[bytes]
    controller: int
    seen: bytes = b""

    def type(self, keys: bytes) -> None:
        os.write(self.controller, keys)

    def until(self, text: bytes, seconds: float = 60) -> bytes:
        """Waits until `text` stands on the screen, behind what was waited for before; returns what came until then."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.controller], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{text!r} did not come; the screen says {self.seen!r}"
            try:
                self.seen += os.read(self.controller, 65536)
            except OSError as error:
                raise AssertionError(f"{text!r} did not come before the end: {self.seen!r}") from error
        before, found, self.seen = self.seen.partition(text)
        return before + found

    def asks(self, keys: bytes, answer: bytes) -> None:
        """Types it once a second until the answer is there, for what the program hears of a moment later, as of a new size."""
        for _ in range(60):
            self.type(keys)
            if self._comes(answer, 1.0):
                self.until(answer)
                return
        raise AssertionError(f"{answer!r} did not come; the screen says {self.seen!r}")

    def _comes(self, text: bytes, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while text not in self.seen and select.select([self.controller], [], [], max(0.0, end - time.monotonic()))[0]:
            self.seen += os.read(self.controller, 65536)
        return text in self.seen

    def resize(self, rows: int, columns: int) -> None:
        ioctl(self.controller, TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def leave(self, seconds: float = 60) -> int:
        """Waits for the end of the program; its exit status."""
        try:
            end = time.monotonic() + seconds
            while self.process.poll() is None and time.monotonic() < end:
                if select.select([self.controller], [], [], 0.05)[0]:
                    try:
                        self.seen += os.read(self.controller, 65536)
                    except OSError:
                        break
            return self.process.wait(seconds)
        finally:
            os.close(self.controller)


@contextmanager
def at_terminal(argv: list[str], environ: dict[str, str], rows: int = 24, columns: int = 80) -> Iterator[Typist]:
    """Starts `argv` in a session of its own whose terminal is the typist's."""
    controller, terminal = pty.openpty()
    ioctl(controller, TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    program = [
        sys.executable,
        "-c",
        "import fcntl,os,sys,termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])",
    ]
    process = subprocess.Popen([*program, *argv], stdin=terminal, stdout=terminal, stderr=terminal, env=environ, start_new_session=True)
    os.close(terminal)
    try:
        yield Typist(process, controller)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@dataclass
class Yard:
    """A running platform with one app, `shop`, of the tiny image."""

    services: Platform
    name: str
    image: str
    docker: Any
    api: Served
    engine: subprocess.Popen[bytes] | None = None
    environ: dict[str, str] = field(default_factory=dict)

    def start_engine(self) -> None:
        argv = [sys.executable, str(ENGINE), str(self.services.settings.home), self.name]
        self.engine = subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": f"{ENGINE.parents[1] / 'platform'}:{ENGINE.parent}"})

    def end_engine(self, number: int = signal.SIGTERM) -> None:
        assert self.engine is not None
        self.engine.send_signal(number)
        self.engine.wait(60)

    def deploy(self, app: str = "shop", **processes: str) -> None:
        """A release of the tiny image, as a push would leave it; returns when it runs."""
        deployed(self.services, app, **(processes or {"web": "", "hello": "echo hello from $DYNO"}))
        with self.services.database.write() as connection:
            connection.execute("UPDATE builds SET image = ?, root = 1", (self.image,))
        self.services.wake()
        self.until(lambda: self.state(app, "web.1") == "running")

    def state(self, app: str, instance: str) -> str:
        with self.services.database.read() as connection:
            return next((row.state for row in instances.of_app(connection, app) if row.name == instance), "")

    def argv(self, *words: str) -> list[str]:
        return [*ARGV, *words]

    def wherry(self, *words: str, stdin: bytes = b"", **environ: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(self.argv(*words), input=stdin, capture_output=True, timeout=60, env={**self.environ, **environ}, check=False)

    def begin(self, *words: str, **streams: Any) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        return subprocess.Popen(self.argv(*words), **{"env": self.environ, "stdin": pipe, "stdout": pipe, "stderr": pipe, **streams})

    def begun(self, *words: str, **streams: Any) -> "subprocess.Popen[bytes]":
        """Like `begin`, for a program whose first line is `up`; returns when it has said so: the row and the container come before that."""
        asked = self.begin(*words, **streams)
        assert asked.stdout is not None
        assert asked.stdout.readline() == b"up\n"
        return asked

    def containers(self, kind: str = "one-off") -> list[Any]:
        labels = [f"wherry.platform={self.name}", f"wherry.kind={kind}"]
        return list(self.docker.api.containers(all=True, filters={"label": labels}))

    def at_rest(self) -> None:
        """Waits for what the engine does after it told a client the end: no run is under way, and no container of one is there."""
        self.until(lambda: not self.containers() and not self.containers("detached") and not self._under_way())

    def _under_way(self) -> list[str]:
        with self.services.database.read() as connection:
            return [run.name for run in runs.unended(connection) if run.state != "waiting"]

    def log(self, app: str = "shop") -> list[str]:
        return AppLogs(self.services.settings.app_logs).tail(app, 200)

    def until(self, true: Callable[[], object], seconds: float = 60) -> float:
        """Waits until `true()`; returns how long it took."""
        began = clock.monotonic()
        while not true():
            assert clock.monotonic() < began + seconds, f"it did not become true within {seconds} s"
            time.sleep(0.05)
        return clock.monotonic() - began


@contextmanager
def receiver(here: Yard, folder: Path) -> Iterator[Person]:
    """Somebody with an SSH key, and the receiver that they come in by."""
    settings = settings_in(here.services.settings.home, WHERRY_NAME=here.name, WHERRY_SSH_PORT=str(free_port()))
    made = Receiver(settings, Doors(lambda kind, blob: logins.by_key(here.services, kind, blob), require, cli_argv()))
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    try:
        ann = person(folder, "ann", settings.ssh_port)
        users.add(here.services, ADMIN, "ann", "deploy")
        keys.add(here.services, ADMIN, ann.public_key, "ann-laptop", "ann")
        yield ann
    finally:
        made.stop()
        thread.join(60)


@contextmanager
def yard(home: Path, name: str) -> Iterator[Yard]:
    """The platform over `home`, with `shop` deployed; nothing is left of it in the end."""
    with docker_engine(name) as (engine, image):
        made = platform.of(settings_in(home, WHERRY_NAME=engine.platform))
        made.database.migrate()
        docker = docker_client.client()
        with served(home, account="root") as api:
            found = Yard(made, engine.platform, image, docker, api)
            found.environ = {"WHERRY_HOME": str(home), "PATH": os.environ["PATH"], "TERM": "vt100"}
            found.start_engine()
            try:
                found.deploy()
                yield found
            finally:
                if found.engine and found.engine.poll() is None:
                    found.end_engine()
                docker.close()
