"""Docker's HTTP API by hand, for the floor of a comparison: the fewest calls that build an image and start a container."""

from __future__ import annotations

import http.client
import io
import json
import socket
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

SOCKET = "/var/run/docker.sock"


class Refused(Exception):
    """What the engine said."""


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def call(method: str, path: str, body: Any = None, **query: str) -> Any:
    """One request and its JSON answer. Raises Refused."""
    data = json.dumps(body).encode() if body is not None else None
    return _read(_ask(method, path, query, data, "application/json"))


def build(files: Mapping[str, bytes], tag: str) -> None:
    """Builds with BuildKit. Raises Refused with the builder's last sentence."""
    answer = _ask("POST", "/build", {"version": "2", "t": tag}, context(files), "application/x-tar")
    for line in answer.splitlines():
        told = json.loads(line)
        if "error" in told:
            raise Refused(told["error"])


def create(image: str, command: Sequence[str], env: Mapping[str, str], name: str, network: str = "bridge") -> str:
    """A container with `--init` on a network, Docker's default bridge if none is named; returns its id. It shall not inherit
    the labels of an app's image, which would make it look like one of the platform's own."""
    host = {"Init": True, "NetworkMode": network}
    wish = {"Image": image, "Cmd": list(command), "Env": [f"{key}={value}" for key, value in env.items()], "HostConfig": host}
    wish["Labels"] = {"wherry.platform": "", "wherry.app": ""}
    return str(call("POST", "/containers/create", wish, name=name)["Id"])


def start(container: str) -> str:
    """Starts it; returns its address."""
    call("POST", f"/containers/{container}/start")
    return address(container)


def address(container: str) -> str:
    """Where a running container answers: its address on its first network."""
    networks = inspect(container)["NetworkSettings"]["Networks"]
    return str(next(network["IPAddress"] for network in networks.values()))


def inspect(container: str) -> dict[str, Any]:
    return dict(call("GET", f"/containers/{container}/json"))


def make_network(name: str) -> None:
    call("POST", "/networks/create", {"Name": name, "Driver": "bridge", "CheckDuplicate": True})


def remove_network(name: str) -> None:
    call("DELETE", f"/networks/{name}")


def remove(container: str) -> None:
    call("DELETE", f"/containers/{container}", force="1", v="1")


def remove_image(image: str) -> None:
    call("DELETE", f"/images/{image}", force="1")


def events(since: float, until: float, **filters: list[str]) -> list[dict[str, Any]]:
    """What happened between two moments (wall clock, in seconds)."""
    query = {"since": f"{since:.6f}", "until": f"{until:.6f}", "filters": json.dumps(filters)}
    return [json.loads(line) for line in _ask("GET", "/events", query).splitlines() if line]


def context(files: Mapping[str, bytes]) -> bytes:
    """A build context; GNU format, because BuildKit reads PAX names wrongly."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))
    return target.getvalue()


def _ask(method: str, path: str, query: Mapping[str, str], data: bytes | None = None, kind: str = "application/json") -> bytes:
    connection = _Connection("localhost")
    try:
        connection.request(method, f"{path}?{urlencode(query)}", data, {"Content-Type": kind})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status >= 400:
        raise Refused(f"{method} {path}: {answer.status} {body.decode('utf-8', 'replace').strip()}")
    return body


def _read(body: bytes) -> Any:
    return json.loads(body) if body.strip() else None
