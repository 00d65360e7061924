"""Questions to the control API over its unix socket, as the machine's root, on one connection that stays."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any

from scenario_support import Site


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Api:
    """`with Api(site) as api`."""

    def __init__(self, site: Site) -> None:
        self._connection = _Unix(str(site.home / "run" / "api.sock"))

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str) -> Any:
        """The document. Raises AssertionError when the answer is another than 200."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, f"GET {path}: {answer.status} {body[:200]!r}"
        return json.loads(body)

    def times(self, path: str, count: int) -> tuple[float, ...]:
        """How long each of `count` answers took, in milliseconds."""
        found = []
        for _ in range(count):
            began = time.monotonic()
            self.get(path)
            found.append((time.monotonic() - began) * 1000)
        return tuple(found)
