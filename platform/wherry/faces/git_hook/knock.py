"""What git starts: asks the process that waits with everything loaded, and ends as that says.

To start Python and load the hook takes a tenth of a second of processor, at each push, before it has looked at anything; this
file loads next to nothing and takes a hundredth. It stays until the end, since git waits for it and signals reach it.
"""

from __future__ import annotations

import _socket  # this and posix are what socket and os are made of: those load a dozen files, which takes as long as Python's start
import posix
import sys

SOCKET = b"WHERRY_HOOK"
"""The variable that names the socket; the receiver sets it."""
HEAD = 8
"""Bytes before the message that say how long it is."""
STATUS = 1
"""Bytes of the answer: the exit status."""


def run() -> int | None:
    """The exit status; None when nobody waits there, or somebody who is not our own account: then nothing was said."""
    environ = posix.environ
    line = _connect(environ.get(SOCKET, b""))
    if line is None:
        return None
    try:
        _send(line, [0, 2, int(environ[b"WHERRY_LOCK"])], pack(posix.getcwdb(), environ))
        status = line.recv(STATUS)
    except OSError:
        status = b""
    return status[0] if status else _unanswered()


def pack(folder: bytes, environ: dict[bytes, bytes]) -> bytes:
    """The folder and the environment in one; `unpack` reads them."""
    return b"\0".join((folder, *(key + b"=" + value for key, value in environ.items())))


def unpack(message: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    folder, *words = message.split(b"\0")
    return folder, {key: value for key, _, value in (word.partition(b"=") for word in words)}


def _connect(path: bytes) -> _socket.socket | None:
    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        line.connect(path)
        peer = line.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    except OSError:
        return None
    return line if int.from_bytes(peer[4:8], sys.byteorder) == posix.geteuid() else None


def _send(line: _socket.socket, descriptors: list[int], message: bytes) -> None:
    numbers = b"".join(number.to_bytes(4, sys.byteorder) for number in descriptors)
    line.sendmsg([len(message).to_bytes(HEAD, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)])
    line.sendall(message)


def _unanswered() -> int:
    posix.write(
        2, b" !     the process that looked at this push ended without a word. Push again: what it began is joined or found done.\n"
    )
    return 1
