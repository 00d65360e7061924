"""An HTTP request to Docker that turns into a line of raw bytes both ways.

By hand: docker-py reads ahead behind the answer's head and loses what a quick program said first.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from wherry.errors import DeployFailed

PATIENCE = 30.0
LONGEST_HEAD = 64 * 1024


def open_line(socket_path: str, target: str, body: dict[str, Any] | None = None) -> tuple[socket.socket, bytes]:
    """The socket, blocking, and what came behind the head. Raises OSError when nobody answers, DeployFailed with the
    engine's words when it refuses."""
    content = b"" if body is None else json.dumps(body).encode()
    head = (
        f"POST {target} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.settimeout(PATIENCE)
        line.connect(socket_path)
        line.sendall(head.encode("ascii") + content)
        answer, rest = _head(line)
        if answer.split(b" ", 2)[1:2] not in ([b"101"], [b"200"]):
            raise DeployFailed("the Docker engine refused a conversation", code="start_refused", evidence=(_words(line, rest),))
        line.settimeout(None)
    except BaseException:
        line.close()
        raise
    return line, rest


def _head(line: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = line.recv(4096)
        if not piece or len(data) > LONGEST_HEAD:
            raise ConnectionResetError("the engine hung up")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _words(line: socket.socket, rest: bytes) -> str:
    """What the engine says about a refusal, as far as it has come."""
    if b"}" not in rest:
        rest += line.recv(4096)
    return rest.decode("utf-8", "replace").strip()[:300]
