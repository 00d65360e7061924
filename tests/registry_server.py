"""Image registries on loopback, of Debian's docker-registry: one with a login, one that gives everybody a token as Docker Hub does."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from free_ports import free_port
from receiving_support import knock
from token_server import token_server

CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
TOKENS = "token: {{realm: {url}, service: test, issuer: test, rootcertbundle: {folder}/token.crt}}"


@dataclass
class Registry:
    """`server` is its name in images."""

    server: str
    folder: Path
    user: str = "alice"
    password: str = "s3cret-of-alice"

    def push(self, image: str, name: str) -> str:
        """Gives a local image to the registry as `name`; returns its full name there. The local name goes."""
        full = f"{self.server}/{name}"
        docker = ["docker", "--config", str(self.folder / "client")]
        login = [*docker, "login", "-u", self.user, "--password-stdin", self.server]
        if self.user:
            subprocess.run(login, input=self.password.encode(), check=True, capture_output=True)
        subprocess.run(["docker", "tag", image, full], check=True)
        subprocess.run([*docker, "push", "-q", full], check=True, capture_output=True)
        subprocess.run(["docker", "rmi", full], check=True, capture_output=True)
        return full


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    """Runs for as long as the block; all its data is below `folder`."""
    made = Registry(f"127.0.0.1:{free_port()}", folder)
    folder.mkdir(exist_ok=True)
    hashed = bcrypt.hashpw(made.password.encode(), bcrypt.gensalt(4)).decode()
    (folder / "htpasswd").write_text(f"{made.user}:{hashed}\n")
    with _served(made, f"htpasswd: {{realm: test, path: {folder}/htpasswd}}"):
        yield made


@contextmanager
def open_registry(folder: Path) -> Iterator[Registry]:
    """One without any login."""
    folder.mkdir(exist_ok=True)
    made = Registry(f"127.0.0.1:{free_port()}", folder, user="")
    with _served(made, ""):
        yield made


@contextmanager
def token_registry(folder: Path) -> Iterator[Registry]:
    """One that sends everybody to a server of tokens first, which gives them to whoever asks."""
    folder.mkdir(exist_ok=True)
    made = Registry(f"127.0.0.1:{free_port()}", folder)
    with token_server(folder) as url, _served(made, TOKENS.format(url=url, folder=folder)):
        yield made


@contextmanager
def _served(made: Registry, auth: str) -> Iterator[None]:
    port = int(made.server.partition(":")[2])
    text = CONFIG.format(folder=made.folder, port=port) + (f"auth: {{{auth}}}\n" if auth else "")
    (made.folder / "config.yml").write_text(text)
    server = subprocess.Popen(
        ["docker-registry", "serve", str(made.folder / "config.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_it_listens(port)
        yield
    finally:
        server.terminate()
        server.wait()


def _until_it_listens(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            knock(port).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < end, "the registry does not listen"
            time.sleep(0.02)
