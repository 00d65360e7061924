"""The door to docker-py: one lean import, one shared client, foreign errors told in our words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wherry.errors import Unavailable
from wherry.running.processes import until_it_listens

SOCKET = "/var/run/docker.sock"
OLDEST_API = (1, 41)


def client(socket_path: str = SOCKET, timeout: float = 60.0) -> Any:
    """A `docker.DockerClient` on the local socket. Raises Unavailable when no engine answers or it is too old."""
    sys.modules.setdefault("docker.transport.sshconn", None)  # type: ignore[arg-type]
    import docker

    with translated():
        made = docker.DockerClient(base_url=f"unix://{socket_path}", version="auto", timeout=timeout, max_pool_size=32)
    version = tuple(int(part) for part in made.api.api_version.split("."))
    if version < OLDEST_API:
        raise Unavailable(
            f"the Docker engine speaks API {made.api.api_version}; Wherry needs 1.41 (Docker 20.10) or newer", code="engine_too_old"
        )
    return made


@contextmanager
def translated() -> Iterator[None]:
    """Turns "no engine there" into Unavailable; what the engine itself refuses passes through for the caller to read."""
    import requests
    from docker.errors import APIError, DockerException

    try:
        yield
    except APIError:
        raise
    except (requests.exceptions.RequestException, DockerException, OSError) as error:
        raise Unavailable(
            f"the Docker engine does not answer ({_short(error)})", code="engine_down", hint="Look at: systemctl status docker"
        ) from error


def until_it_hears(api: Any, container: str) -> None:
    """Waits until a signal to the container's first process would not be lost. Raises docker's NotFound."""
    until_it_listens(int(api.inspect_container(container)["State"]["Pid"] or 0))


def _short(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
