"""Looks at an instance once: does it listen, what does it answer. Whoever needs to wait looks again."""

from __future__ import annotations

import http.client
import socket


def listens(address: str, port: int, timeout: float = 1.0) -> bool:
    """Whether a TCP connection is accepted within `timeout` seconds."""
    try:
        with socket.create_connection((address, port), timeout):
            return True
    except OSError:
        return False


def connect(address: str, port: int, timeout: float = 1.0) -> socket.socket | None:
    """An open connection, None when none is accepted by the kernel within `timeout` seconds."""
    try:
        return socket.create_connection((address, port), timeout)
    except OSError:
        return None


def check_http(address: str, port: int, path: str, host: str = "", timeout: float = 5.0) -> int | None:
    """The status of `GET path`, asked for `host`; None when there is no HTTP answer within `timeout` seconds of silence.

    Redirects are not followed: a 301 is an answer. `path` starts with a slash.
    """
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        headers = {"Host": host or f"{address}:{port}", "User-Agent": "Wherry-Check/1", "Connection": "close"}
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
