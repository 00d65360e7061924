"""A private image registry on loopback: Debian's docker-registry, with one login."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from receiving_support import free_port, knock

CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}
"""


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
    hashed = subprocess.run(["htpasswd", "-Bbn", made.user, made.password], check=True, capture_output=True).stdout
    (folder / "htpasswd").write_bytes(hashed.strip() + b"\n")
    port = int(made.server.partition(":")[2])
    (folder / "config.yml").write_text(CONFIG.format(folder=folder, port=port))
    server = subprocess.Popen(
        ["docker-registry", "serve", str(folder / "config.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_it_listens(port)
        yield made
    finally:
        server.terminate()
        server.wait()


def _until_it_listens(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            knock(port).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < end, "the registry does not listen"
            time.sleep(0.02)
