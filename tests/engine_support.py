"""A Docker engine for tests: names of its own, swept before and after."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tiny_image import tiny_image
from wherry.running import docker_client
from wherry.running.docker_engine import DockerEngine
from wherry.running.engine import InstanceSpec
from wherry.secret import Secret


@contextmanager
def docker_engine(name: str) -> Iterator[tuple[DockerEngine, str]]:
    """The engine and the id of the tiny image. Everything with this platform's label goes in the end."""
    platform = f"{name}{os.getpid() % 10_000}"
    client = docker_client.client()
    try:
        yield DockerEngine(platform), tiny_image(client)
    finally:
        sweep(client, platform)
        client.close()


def sweep(client: object, platform: str) -> None:
    """Removes all containers, networks and volumes of a platform."""
    filters = {"label": f"wherry.platform={platform}"}
    for container in client.containers.list(all=True, filters=filters, ignore_removed=True):  # type: ignore[attr-defined]
        container.remove(force=True)
    for network in client.networks.list(filters=filters):  # type: ignore[attr-defined]
        network.remove()
    for volume in client.volumes.list(filters=filters):  # type: ignore[attr-defined]
        volume.remove()


def spec(image: str, command: str = "", process: str = "web", index: int = 1, **env: str) -> InstanceSpec:
    """An instance of the tiny image, which starts as root. A web process listens on 5000."""
    port = 5000 if process == "web" else None
    variables = {**env, **({"PORT": "5000"} if port else {})}
    secrets = {key: Secret(value) for key, value in variables.items()}
    return InstanceSpec("shop", process, index, 1, image, command, secrets, port, 64, root=True)
