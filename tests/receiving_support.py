"""A real receiver on a real port, a person with real ssh keys and a real git, and a stand-in for the engine.

The stand-in does to the database and the log what the engine does: claims the operation, says lines, ends it.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from free_ports import free_port
from migrated import migrate
from waiting import until
from wherry import clock
from wherry.access.require import require
from wherry.model.build import Build
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.receiving import limits
from wherry.receiving.public_key import parse
from wherry.receiving.server import Doors, Receiver
from wherry.services import platform as platforms
from wherry.settings import Settings, load
from wherry.store import apps, builds, keys, operations, releases, users

CLI = """
import os, sys, time
words = sys.argv[1:]
while (word := os.environ.get(f"WHERRY_WORD_{len(words) - 1}")) is not None:
    words.append(word)
if words[0] == "whoami":
    print(*(os.environ.get(name) for name in ("WHERRY_ACTOR", "WHERRY_ROLE", "WHERRY_VIA", "WHERRY_HOME")))
elif words[0] == "env":
    print(*sorted(os.environ), sep="\\n")
elif words[0] == "arguments":
    print(*sys.argv[1:])
elif words[0] == "say":
    print("out", *words[1:]); print("err", file=sys.stderr); sys.exit(7)
elif words[0] == "count":
    print(len(sys.stdin.buffer.read()))
elif words[0] == "sleep":
    with open(words[1], "w") as file:  # not left to close by itself: Python forgets a Ctrl-C that comes in that moment
        file.write(str(os.getpid()))
    time.sleep(60)
elif words[0] == "flood":
    data = bytes(1 << 20)
    for _ in range(int(words[1])): sys.stdout.buffer.write(data)
else:
    print(repr(words))
"""
"""What stands where the command line is; it says what it was given."""


@dataclass
class Person:
    """A home with a key pair, and git and ssh that use it and know the machine's host key."""

    home: Path
    port: int
    desk: Path | None = None

    @property
    def public_key(self) -> str:
        return (self.home / "key.pub").read_text()

    def options(self, *more: str) -> list[str]:
        known = f"UserKnownHostsFile={self.home / 'known_hosts'}"
        plain = ["-F", "/dev/null", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", known, "-o", "BatchMode=yes"]
        return [*plain, "-i", str(self.home / "key"), "-p", str(self.port), *more]

    def environment(self) -> dict[str, str]:
        ssh = " ".join(["ssh", *self.options()])
        author = {
            f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "Ada"), ("EMAIL", "ada@localhost"))
        }
        quiet = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_SSH_COMMAND": ssh, **author, **quiet}

    def ssh(self, *words: str, options: tuple[str, ...] = (), stdin: bytes = b"", user: str = "wherry") -> subprocess.CompletedProcess[str]:
        argv = ["ssh", *self.options(*options), f"{user}@127.0.0.1", *words]
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=120, check=False, env=self.environment())
        return subprocess.CompletedProcess(argv, done.returncode, done.stdout.decode(), done.stderr.decode())

    def start_ssh(self, *words: str, options: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        argv = ["ssh", *self.options(*options), "wherry@127.0.0.1", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, env=self.environment())

    def git(self, folder: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Its stdout and stderr together are in `.stdout`."""
        return subprocess.run(
            ["git", *words], cwd=folder, env=self.environment(), check=check, timeout=180, text=True, errors="surrogateescape",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def start_git(self, folder: Path, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["git", *words], cwd=folder, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )

    def project(self, name: str = "work", files: dict[str, str] | None = None) -> Path:
        """A repository with one commit on main."""
        folder = self.home_for(name)
        self.git(folder, "init", "-q", "-b", "main")
        self.commit(folder, files or {"Procfile": "web: python3 -m http.server $PORT\n"})
        return folder

    def home_for(self, name: str) -> Path:
        """A new folder on this person's desk."""
        folder = (self.desk or self.home) / name
        folder.mkdir()
        return folder

    def commit(self, folder: Path, files: dict[str, str]) -> str:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        self.git(folder, "add", "-A")
        self.git(folder, "commit", "-q", "--allow-empty", "-m", "change")
        return self.git(folder, "rev-parse", "HEAD").stdout.strip()

    def url(self, app: str) -> str:
        return f"ssh://wherry@127.0.0.1:{self.port}/{app}"

    def push(self, folder: Path, app: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.git(folder, "push", self.url(app), *(words or ("main",)), check=False)


@dataclass
class Place:
    """A platform's folder with its database, and a receiver that serves it."""

    settings: Settings

    @property
    def port(self) -> int:
        return self.settings.ssh_port

    @property
    def platform(self) -> platforms.Platform:
        return platforms.of(self.settings)

    def add_user(self, name: str, role: str, public_key: str) -> None:
        key = parse(public_key)
        with self.platform.database.write() as connection:
            user = users.create(connection, name, role, clock.now())
            keys.add(connection, user, f"{name}-laptop", key.type, key.blob, key.fingerprint, clock.now())

    def remove_key(self, name: str) -> None:
        with self.platform.database.write() as connection:
            keys.remove(connection, keys.get(connection, name))

    def operations(self, app: str) -> list[Operation]:
        """The oldest first."""
        with self.platform.database.read() as connection:
            return operations.recent(connection, app)[::-1]

    def head(self, app: str, ref: str = "refs/heads/main") -> str:
        folder = self.settings.repositories / f"{app}.git"
        return subprocess.run(
            ["git", "rev-parse", "--verify", "-q", ref], cwd=folder, capture_output=True, text=True, check=False
        ).stdout.strip()


HOOKS = """
import sys
from pathlib import Path
from wherry.faces.git_hook.forkserver import serve
serve(Path(sys.argv[1]))
"""


@contextmanager
def waiting_hook(path: Path, user: int | None = None) -> Iterator[int]:
    """The process that has the hook's code loaded, at `path`; its process id."""
    platform = Path(__file__).resolve().parents[1] / "platform"
    process = subprocess.Popen([sys.executable, "-B", "-c", HOOKS, str(path)], env={"PYTHONPATH": str(platform)}, user=user)
    try:
        until(path.exists, what="the hook's socket")
        yield process.pid
    finally:
        process.kill()
        process.wait()
        path.unlink(missing_ok=True)


@contextmanager
def place(folder: Path, grace: float = limits.GRACE, patience: float | None = None, **environ: str) -> Iterator[Place]:
    """Starts all but the process that waits with the hook in `folder`, with further settings by `environ`, and stops it at the end."""
    settings = load({"WHERRY_HOME": str(folder / "home"), "WHERRY_SSH_PORT": str(free_port()), **environ})
    platform = platforms.of(settings)
    migrate(platform.database)
    settings.operation_logs.mkdir(parents=True)
    settings.run.mkdir()
    (folder / "cli.py").write_text(CLI)

    def find_user(_key_type: str, blob: str) -> Actor | None:
        with platform.database.read() as connection:
            key = keys.by_blob(connection, blob)
            user = users.find(connection, key.user) if key else None
        return Actor(user.name, user.role, "ssh") if user else None

    receiver = Receiver(settings, Doors(find_user, require, [sys.executable, "-I", str(folder / "cli.py")]), grace, patience)
    thread = threading.Thread(target=receiver.serve, daemon=True)
    thread.start()
    try:
        yield Place(settings)
    finally:
        receiver.stop()
        thread.join(60)


def person(folder: Path, name: str, port: int) -> Person:
    """Makes a home and a key pair; the host key is learnt on the first visit, as people do."""
    home = folder / name
    home.mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@laptop", "-f", str(home / "key")], check=True)
    found = Person(home, port)
    (home / "known_hosts").touch()
    subprocess.run(["ssh", *found.options("-o", "StrictHostKeyChecking=accept-new"), "nobody@127.0.0.1"], capture_output=True, check=False)
    return found


def admin(here: Place, folder: Path, name: str) -> Person:
    """A person who may do everything at `here`."""
    found = person(folder, name, here.port)
    here.add_user(name, "admin", found.public_key)
    return found


@dataclass
class Engine:
    """Takes operations up in order, one per app at a time, and lets `work` say lines; its result is the outcome."""

    place: Place
    work: Callable[["Engine", Operation], str] = lambda engine, operation: engine.deploy(operation)
    seen: list[int] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Engine":
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def say(self, operation: Operation, *lines: str) -> None:
        for line in lines:
            self.place.platform.operation_logs.write(operation.id, line)

    def deploy(self, operation: Operation) -> str:
        self.say(operation, "-----> Python 3.11", "-----> Release v1")
        self.record(operation)
        self.say(operation, "-----> Live in 0.1 s: http://shop.localhost")
        return "succeeded"

    def record(self, operation: Operation) -> None:
        """A live release of what the operation carries."""
        now, payload = clock.now(), operation.payload
        with self.place.platform.database.write() as connection:
            app = apps.get(connection, operation.app)
            build = Build(0, app.id, payload["commit"], payload["tree"], "python", "sha256:aa", 84, {"web": "run"}, now)
            release = releases.add(connection, app, builds.add(connection, build), app.config, "Deploy", operation.actor, now)
            releases.record_outcome(connection, release, "live", "", now)
            apps.change(connection, app, release=release.number, running=release.number)

    def _loop(self) -> None:
        while not self._stop.wait(0.01):
            with self.place.platform.database.read() as connection:
                waiting = operations.waiting(connection)
            for operation in waiting:
                threading.Thread(target=self._do, args=(operation,), daemon=True).start()
                while self._state(operation) == "queued":
                    time.sleep(0.005)

    def _state(self, operation: Operation) -> str:
        with self.place.platform.database.read() as connection:
            return operations.get(connection, operation.id).state

    def _do(self, operation: Operation) -> None:
        with self.place.platform.database.write() as connection:
            if not operations.claim(connection, operation, "engine", clock.now()):
                return
        self.seen.append(operation.id)
        outcome = self.work(self, operation)
        with self.place.platform.database.write() as connection:
            operations.finish(connection, operation, outcome, clock.now())


def knock(port: int) -> socket.socket:
    """A bare TCP connection to the receiver."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=30)
    sock.settimeout(30)
    return sock
