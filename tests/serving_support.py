"""Starts a built image the way the platform does, and asks it over HTTP."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import docker

from wherry.building.builder import Built
from wherry.running.engine import InstanceSpec
from wherry.running.hardening import host_config
from wherry.running.shell_line import shell_argv

PORT = 5000


@dataclass
class Answer:
    """`headers` by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes


class Serving:
    """A running instance of the web process."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def get(self, path: str = "/", headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        connection = http.client.HTTPConnection(self.address, PORT, timeout=10)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    @property
    def address(self) -> str:
        self._container.reload()
        return str(self._container.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"])

    def log(self) -> str:
        return str(self._container.logs().decode())

    def run(self, *argv: str) -> str:
        """What a command prints inside."""
        return str(self._container.exec_run(list(argv)).output.decode())

    def stop(self) -> tuple[int, float]:
        """Asks it to end; its exit code, and the seconds that it took."""
        began = time.monotonic()
        self._container.stop(timeout=30)
        return int(self._container.wait()["StatusCode"]), time.monotonic() - began

    def memory(self) -> float:
        """What it holds, in MB, without what the kernel may take back."""
        usage = self._container.stats(stream=False)["memory_stats"]
        stats = usage["stats"]
        return float(usage["usage"] - stats.get("total_inactive_file", stats.get("inactive_file", 0))) / 1e6


@contextmanager
def serving(built: Built, *, patience: float = 60, **env: str) -> Iterator[Serving]:
    """The image's web process, once it answers, which it has `patience` seconds for."""
    client = docker.from_env()
    command = built.processes["web"]
    spec = InstanceSpec("shop", "web", 1, 1, built.image, command, {}, PORT, 256, root=built.root)
    limits = host_config(spec)
    limits["mem_limit"], limits["log_config"] = "256m", None
    variables = {"PORT": str(PORT), **env}
    container = client.containers.create(built.image, shell_argv(command), environment=variables, **limits)
    try:
        container.start()
        made = Serving(container)
        _wait(made, patience)
        yield made
    finally:
        container.remove(force=True)
        client.close()


def _wait(made: Serving, patience: float) -> None:
    last, end = "", time.monotonic() + patience
    while time.monotonic() < end:
        try:
            made.get()
            return
        except (OSError, http.client.HTTPException) as error:
            last = repr(error)
            time.sleep(0.1)
    raise AssertionError(f"{last}; its log:\n{made.log()}")
