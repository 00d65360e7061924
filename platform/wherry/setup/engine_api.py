"""Docker's HTTP API for set-up: a few calls on its socket, before (and after) there is any library for it."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import quote

from wherry.errors import CommandFailed, NotFound, Unavailable
from wherry.setup import machine

SOCKET = "/var/run/docker.sock"
OLDEST = (1, 41)


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


def call(method: str, path: str, timeout: float = 30.0) -> Any:
    """One request; returns the JSON answer, or None when there is none.

    Raises Unavailable when no engine answers, NotFound for what is gone, CommandFailed when it refuses.
    """
    connection = _Connection("localhost", timeout=timeout)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        start = "sudo systemctl start docker" if machine.has_systemd() else "sudo scripts/up"
        why = getattr(error, "strerror", "") or str(error)
        raise Unavailable(f"no Docker engine answers on {SOCKET}: {why}", code="no_engine", hint=f"Start it: {start}") from error
    finally:
        connection.close()
    return _read(answer.status, body)


def answers() -> bool:
    try:
        call("GET", "/version", 10.0)
    except (Unavailable, CommandFailed):
        return False
    return True


def version() -> str:
    """The engine's version. Raises Unavailable when it is too old to build and run apps."""
    told = call("GET", "/version")
    if tuple(int(part) for part in told["ApiVersion"].split(".")) < OLDEST:
        raise Unavailable(
            f"Docker {told['Version']} (API {told['ApiVersion']}) is too old",
            hint="Install Docker 20.10 or newer: apt-get install docker.io",
            code="engine_too_old",
        )
    return str(told["Version"])


def labelled(kind: str, label: str) -> list[dict[str, Any]]:
    """All `containers`, `networks`, `images` or `volumes` with the label `key=value`, stopped ones too."""
    filters = quote(json.dumps({"label": [label]}))
    found = call("GET", f"/{kind}{'' if kind in ('networks', 'volumes') else '/json'}?all=1&filters={filters}")
    return list(found["Volumes"] or [] if kind == "volumes" else found)


def _read(status: int, body: bytes) -> Any:
    data = json.loads(body) if body.strip() else None
    if status == 404:
        raise NotFound(str((data or {}).get("message", "gone")))
    if status >= 400:
        raise CommandFailed(f"Docker: {(data or {}).get('message', status)}")
    return data
