"""A platform made as a person makes one, by `scripts/up` with names and ports of its own, and what a person does with it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from free_ports import free_port

ROOT = Path(__file__).resolve().parents[1]
TINY_APP = {
    "Procfile": "web: python app.py\n",
    "requirements.txt": "",
    "app.py": """
import http.server, os, signal, socketserver, sys, threading, time

VERSION = b"{version}"
started = time.monotonic()

class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path.startswith("/slow"):
            time.sleep(float(self.path.rpartition("=")[2] or 3))
        known = {{"/instance": os.environ["WHERRY_INSTANCE"], "/env": os.environ.get("COLOUR", "")}}
        body = known[self.path].encode("utf-8", "surrogateescape") if self.path in known else VERSION
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 256
    def handle_error(self, *_):
        pass  # the proxy resets idle connections: nothing to report

server = Server(("0.0.0.0", int(os.environ["PORT"])), Page)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print("version {version} is up", flush=True)
server.serve_forever()
""",
}


@dataclass
class Done:
    """How a program a person ran went: exit status and all it printed."""

    status: int
    text: str


@dataclass
class Site:
    """A running platform. `home` is its state folder, `name` its name, ports as the settings have them."""

    home: Path
    name: str
    http_port: int
    ssh_port: int
    api_port: int
    key: Path

    @property
    def https_port(self) -> int:
        kept = (self.home / "settings.env").read_text("utf-8")
        return int(next(line.partition("=")[2] for line in kept.splitlines() if line.startswith("WHERRY_HTTPS_PORT=")))

    def wherry(self, *words: str, stdin: str = "") -> Done:
        """The command line on the machine, as root."""
        return run([f"/usr/local/bin/{self.name}", *words], stdin=stdin)

    def up(self, **settings: str) -> Done:
        """`scripts/up` with these settings; the others are kept. E.g. `up(ACME_EMAIL="me@example.org")`."""
        named = {"WHERRY_HOME": str(self.home), "WHERRY_NAME": self.name}
        given = {f"WHERRY_{key}": value for key, value in settings.items()}
        return run([str(ROOT / "scripts" / "up")], env={**os.environ, **named, **given}, timeout=900)

    def ssh(self, *words: str, stdin: str = "") -> Done:
        return run([*self.ssh_argv(), "wherry@127.0.0.1", *words], stdin=stdin)

    def ssh_argv(self) -> list[str]:
        options = ["StrictHostKeyChecking=no", f"UserKnownHostsFile={self.key.parent}/known_hosts", "IdentitiesOnly=yes", "LogLevel=ERROR"]
        return ["ssh", "-i", str(self.key), "-p", str(self.ssh_port), *(word for option in options for word in ("-o", option))]

    def get(self, app: str, path: str = "/", headers: dict[str, str] | None = None, timeout: float = 30) -> tuple[int, str]:
        """Status and body of what a visitor of the app sees."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Host": f"{app}.localhost", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def json(self, *words: str) -> Any:
        return json.loads(self.wherry(*words, "--json").text)

    def pid(self, part: str) -> int:
        """The process of a part of the control plane (`engine`, `api`, `receiver`)."""
        title = f"{self.name}: {part}"
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "cmdline").read_bytes().split(b"\0")[0].decode() == title:
                    return int(folder.name)
            except OSError:
                continue
        raise AssertionError(f"no process {title}")

    def runs_anew(self, part: str, before: int) -> bool:
        """Whether a process of that part is there, and it is not the one with the id `before`."""
        with suppress(AssertionError):
            return self.pid(part) != before
        return False

    def docker(self, *words: str) -> Done:
        return run(["docker", *words])

    def containers(self, app: str) -> list[str]:
        """Ids of the app's containers, dead ones too."""
        labels = ["--filter", f"label=wherry.platform={self.name}", "--filter", f"label=wherry.app={app}"]
        return self.docker("ps", "-aq", "--no-trunc", *labels).text.split()

    @contextmanager
    def visitors(self, app: str, connections: int = 50, path: str = "/", secure_host: str = "") -> Iterator[dict[str, Any]]:
        """Visitors who never retry while the block runs; afterwards the dict holds their count (see bench/load.py). With a
        `secure_host` they come by HTTPS, and ask for that one."""
        host, port = (secure_host, self.https_port) if secure_host else (f"{app}.localhost", self.http_port)
        argv = [sys.executable, str(ROOT / "bench" / "load.py"), host, "127.0.0.1", str(port), path, str(connections)]
        argv += ["tls"] if secure_host else []
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        count: dict[str, Any] = {}
        try:
            assert process.stdout and process.stdout.readline() == "asking\n"
            yield count
        finally:
            out, _ = process.communicate("", timeout=120)
            count.update(json.loads(out))


class Repository:
    """An app's source on the person's machine, with the platform as its remote."""

    def __init__(self, site: Site, app: str, folder: Path) -> None:
        self.site, self.app, self.folder = site, app, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.git("remote", "add", "wherry", f"ssh://wherry@127.0.0.1:{site.ssh_port}/{app}")

    def git(self, *words: str) -> Done:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
        return run(["git", "-C", str(self.folder), *who, *words], env=self.env())

    def env(self) -> dict[str, str]:
        """The environment in which git finds this person's key."""
        return {**os.environ, "GIT_SSH_COMMAND": " ".join(self.site.ssh_argv())}

    def commit(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")

    def push(self, *words: str) -> Done:
        return self.git("push", *words, "wherry", "main")

    def release(self, version: int | str) -> Done:
        """Commits and pushes the tiny app as `version`."""
        self.commit(tiny_app(version))
        return self.push()


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every regular file below, with what is in it; what goes away meanwhile is passed over, for a platform works on."""
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            with suppress(OSError):
                if path.is_file() and not path.is_symlink():
                    yield path, path.read_bytes()


def tiny_app(version: int | str) -> dict[str, str]:
    """The source of a small web app that answers with its version."""
    return {**TINY_APP, "app.py": TINY_APP["app.py"].format(version=version)}


def run(argv: list[str], stdin: str = "", env: dict[str, str] | None = None, timeout: float = 300, cwd: Path | None = None) -> Done:
    done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, timeout=timeout, cwd=cwd)
    return Done(done.returncode, done.stdout)


@contextmanager
def site(name: str, base: Path) -> Iterator[Site]:
    """`scripts/up` with names and ports of its own; afterwards everything it made is removed."""
    home, key = base / name, base / "key"
    base.mkdir(parents=True, exist_ok=True)
    ports = {kind: free_port() for kind in ("HTTP", "HTTPS", "SSH", "API")}
    made = Site(home, name, ports["HTTP"], ports["SSH"], ports["API"], key)
    try:
        up = made.up(DOMAIN="localhost", FETCH_INTERNAL="yes", **{f"{kind}_PORT": str(port) for kind, port in ports.items()})
        print(up.text)
        assert up.status == 0, up.text
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)])
        added = made.wherry("keys:add", "scenario", stdin=key.with_suffix(".pub").read_text())
        assert added.status == 0, added.text
        yield made
    finally:
        gone = made.wherry("uninstall", "--purge", "--confirm", name)
        print(gone.text)
