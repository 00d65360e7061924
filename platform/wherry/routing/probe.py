"""Looks at an instance once: does it listen, what does it answer. Whoever needs to wait looks again."""

from __future__ import annotations

import http.client
import socket

from wherry import clock
from wherry.model.check import Answer, HealthCheck

MAX_BODY = 1024 * 1024
"""Bytes in which content is looked for."""


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


def fetch(address: str, port: int, check: HealthCheck, host: str = "") -> Answer | None:
    """What `GET check.path` answers, asked for `host` with the check's headers; None when there is no HTTP answer within
    `check.timeout` seconds of silence.

    Redirects are not followed: a 301 is an answer. Of HTTPS the certificate is not looked at: it is the app's own.
    """
    connection = _connection(address, port, check)
    end = clock.monotonic() + check.timeout
    try:
        own = {"Host": host or f"{address}:{port}", "User-Agent": "Wherry-Check/1", "Connection": "close"}
        given = {name.title(): value for name, value in check.headers}
        connection.request("GET", check.path, headers={**own, **given})
        answer = connection.getresponse()
        return Answer(answer.status, not check.content or _holds(answer, check.content.encode(), end))
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _connection(address: str, port: int, check: HealthCheck) -> http.client.HTTPConnection:
    if check.scheme == "http":
        return http.client.HTTPConnection(address, port, timeout=check.timeout)
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address, port, timeout=check.timeout, context=context)


def _holds(answer: http.client.HTTPResponse, content: bytes, end: float) -> bool:
    """Whether the body has `content`, as far as it comes until `end`."""
    body = b""
    while len(body) < MAX_BODY and clock.monotonic() < end and (piece := answer.read1(65536)):
        body += piece
        if content in body:
            return True
    return False
