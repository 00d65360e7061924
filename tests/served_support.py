"""Runs a built image as the platform would, without its walls down, and asks the web process over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import docker

from wherry.building.builder import Built
from wherry.running.shell_line import shell_argv

PORT = 5000


class Served:
    """One running web process."""

    def __init__(self, container: docker.models.containers.Container) -> None:
        self.container = container
        container.reload()
        self.address = next(iter(container.attrs["NetworkSettings"]["Networks"].values()))["IPAddress"]

    def get(self, path: str = "/") -> str:
        """What is answered, waiting for the first answer up to a minute."""
        for left in range(1200, -1, -1):
            try:
                return self._get(path)
            except OSError as error:
                if not left:
                    raise AssertionError(self.container.logs().decode()) from error
            time.sleep(0.05)
        raise AssertionError

    def _get(self, path: str) -> str:
        connection = HTTPConnection(self.address, PORT, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()


@contextmanager
def served(built: Built, process: str = "web") -> Iterator[Served]:
    """The process, unprivileged and with the platform's own start of a Procfile line; removed afterwards."""
    client = docker.from_env()
    container = client.containers.run(
        built.image,
        shell_argv(built.processes[process]),
        detach=True,
        init=True,
        environment={"PORT": str(PORT)},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit="256m",
    )
    try:
        yield Served(container)
    finally:
        container.remove(force=True, v=True)
        client.close()


def printed(built: Built, command: str) -> str:
    """What a one-off command prints in the image."""
    client = docker.from_env()
    try:
        return client.containers.run(built.image, shell_argv(command), remove=True, init=True).decode()  # type: ignore[no-any-return]
    finally:
        client.close()
