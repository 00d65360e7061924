"""Runs what was built as the platform would, in a container with its limits, and asks it over HTTP."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any, NamedTuple

import docker

from wherry.building.builder import Built
from wherry.running.engine import InstanceSpec
from wherry.running.hardening import host_config
from wherry.running.shell_line import shell_argv

PORT = 5000
BOOT = 60.0


class Page(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


class ServedApp:
    """One running container; `seconds` is what it took until it listened."""

    def __init__(self, client: Any, container: str, address: str) -> None:
        self._client, self._container, self.address = client, container, address
        self.seconds = 0.0

    def get(self, path: str = "/", **headers: str) -> Page:
        with closing(HTTPConnection(self.address, PORT, timeout=30)) as connection:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Page(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read().decode("utf-8", "replace"))

    def log(self) -> str:
        return str(self._client.logs(self._container).decode("utf-8", "replace"))

    def runs(self) -> bool:
        return bool(self._client.inspect_container(self._container)["State"]["Running"])

    def memory(self) -> float:
        """What it uses now, in MB, without the page cache."""
        usage = self._client.stats(self._container, stream=False)["memory_stats"]
        cache = usage["stats"].get("total_inactive_file", usage["stats"].get("inactive_file", 0))
        return float(usage["usage"] - cache) / 2**20

    def stop(self) -> tuple[float, int]:
        """Sends SIGTERM; the seconds that it took to end, and the exit code."""
        began = time.monotonic()
        self._client.stop(self._container, timeout=30)
        return time.monotonic() - began, int(self._client.inspect_container(self._container)["State"]["ExitCode"])


@contextmanager
def served(built: Built, process: str = "web", *, memory: int = 256, **env: str) -> Iterator[ServedApp]:
    """The process of `built`, once it listens on $PORT."""
    spec = InstanceSpec("shop", process, 1, 1, built.image, built.processes[process], {}, PORT, memory, root=built.root)
    client = docker.APIClient(timeout=60)
    made = client.create_container(
        built.image,
        shell_argv(spec.command),
        environment={"PORT": str(PORT), **env},
        host_config=client.create_host_config(**host_config(spec)),
    )["Id"]
    try:
        client.start(made)
        networks = client.inspect_container(made)["NetworkSettings"]["Networks"]
        app = ServedApp(client, made, str(next(iter(networks.values()))["IPAddress"]))
        app.seconds = _wait(app)
        yield app
    finally:
        client.remove_container(made, force=True)
        client.close()


def _wait(app: ServedApp) -> float:
    began = time.monotonic()
    while time.monotonic() - began < BOOT:
        try:
            socket.create_connection((app.address, PORT), 1).close()
            return time.monotonic() - began
        except OSError:
            assert app.runs(), f"it ended:\n{app.log()}"
            time.sleep(0.05)
    raise AssertionError(f"nothing listens after {BOOT:g} s:\n{app.log()}")


def printed(built: Built, command: str) -> str:
    """What a shell line prints in a container of the image, both of its outputs."""
    client = docker.from_env()
    try:
        return str(client.containers.run(built.image, ["/bin/sh", "-c", command], remove=True, stderr=True).decode())
    finally:
        client.close()
