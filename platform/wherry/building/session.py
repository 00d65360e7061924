"""Answers the builder's questions during a build: who are we at this registry, and what is this secret?

Without a session BuildKit can not even fetch a public image of Docker Hub, which hands out a token for every fetch. The builder
calls back over the connection that asked for the session: HTTP/2 with gRPC, of which this speaks the little that three calls
without streaming take. Headers need not be read but for the path, which is always one of three texts, compressed in one way.

Source of the protocol: RFC 9113 (frames), RFC 7541 (headers), the gRPC over HTTP/2 specification, and moby/buildkit,
session/auth/auth.proto and session/secrets/secrets.proto.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import uuid
from collections.abc import Callable, Mapping

from wherry.secret import Secret

Logins = Callable[[str], tuple[str, str] | None]
"""User and password at a registry, by its host as the builder names it; None to come without a name."""

CREDENTIALS = "/moby.filesync.v1.Auth/Credentials"
SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
HEALTH = "/grpc.health.v1.Health/Check"
PATHS = {
    CREDENTIALS: bytes.fromhex("6293c7e9794d4151eaa22fdc2bc36a6762f58590b524c3a11f"),
    SECRET: bytes.fromhex("6293c7e978ed35127532574149615285fb857dc525854a18c454ee292c2a7f"),
    HEALTH: bytes.fromhex("626b2b22f394742675fb857c651d099d8bd3949d7f"),
}
"""What may be called, and the path in the Huffman code of RFC 7541, in which the engine sends it."""
UPGRADE_TIMEOUT = 10.0
MAX_FRAME = 1 << 20
CHUNK = 16 * 1024
"""The largest frame that every peer takes."""
WINDOW, FIRST_WINDOW = 65535, 4
"""Bytes that may be sent on a call, and on all together, before the peer gives leave for more; and the setting that changes the former."""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
NO_TABLE = (1).to_bytes(2, "big") + bytes(4)
"""The setting by which every header is sent whole: none may point at an earlier one."""
SERVING = b"\x08\x01"
OK, NOT_FOUND, UNIMPLEMENTED = 0, 5, 12
MAX_MESSAGE = 64 * 1024
"""Bytes of a question."""


class Session:
    """A session at the engine behind a unix socket, until it is closed; `id` goes with the build. `secrets` are what
    the build may ask for by name. Raises OSError when the engine does not give a session."""

    def __init__(self, path: str, logins: Logins, secrets: Mapping[str, Secret] | None = None) -> None:
        self.id = uuid.uuid4().hex
        self._logins, self._secrets = logins, secrets or {}
        self._calls: dict[int, tuple[str, bytes]] = {}
        self._outbox = Outbox(self._send)
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(UPGRADE_TIMEOUT)
            self._socket.connect(path)
            self._upgrade()
            self._socket.settimeout(None)
        except BaseException:
            self._socket.close()
            raise
        self._thread = threading.Thread(target=self._serve, name="session", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(UPGRADE_TIMEOUT)
        self._socket.close()

    def _upgrade(self) -> None:
        """From the engine's API to HTTP/2 on the same connection, in which the engine is the client."""
        offered = [("Uuid", self.id), ("Name", "wherry"), ("Sharedkey", self.id), *(("Grpc-Method", path) for path in PATHS)]
        lines = ["POST /session HTTP/1.1", "Host: docker", "Connection: Upgrade", "Upgrade: h2c", "Content-Length: 0"]
        lines += [f"X-Docker-Expose-Session-{name}: {value}" for name, value in offered]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            more = self._socket.recv(1)
            if not more or len(answer) > 64 * 1024:
                raise ConnectionError("the engine gave no session")
            answer += more
        if not answer.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(f"the engine gave no session: {answer.splitlines()[0]!r}")

    def _serve(self) -> None:
        """Runs in a thread of its own, until either end closes."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            if self._exactly(len(PREFACE)) != PREFACE:
                return
            self._send(SETTINGS, 0, 0, NO_TABLE)
            while True:
                head = self._exactly(9)
                length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
                if length > MAX_FRAME:
                    return
                if not self._take(kind, flags, int.from_bytes(head[5:], "big") & 0x7FFFFFFF, self._exactly(length)):
                    return

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> bool:
        """False when the engine takes its leave."""
        if kind in (SETTINGS, PING) and not flags & ACK:
            self._outbox.resize(payload if kind == SETTINGS else b"")
            self._send(kind, ACK, 0, payload if kind == PING else b"")
        elif kind == WINDOW_UPDATE:
            self._outbox.allow(stream, int.from_bytes(payload, "big"))
        elif kind == HEADERS:
            self._calls[stream] = (next((path for path, code in PATHS.items() if code in payload), ""), b"")
        elif kind == RESET:
            self._calls.pop(stream, None)
            self._outbox.drop(stream)
        elif kind == DATA and stream in self._calls:
            self._hear(flags, stream, payload)
        return kind != GOAWAY

    def _hear(self, flags: int, stream: int, payload: bytes) -> None:
        if payload:
            self._send(WINDOW_UPDATE, 0, 0, len(payload).to_bytes(4, "big"))
        path, heard = self._calls[stream]
        heard += payload[1 : len(payload) - payload[0]] if flags & PADDED else payload
        if flags & END_STREAM or len(heard) > MAX_MESSAGE:
            del self._calls[stream]
            self._reply(stream, *self._answer(path, heard[5:]))
        else:
            self._calls[stream] = (path, heard)

    def _answer(self, path: str, message: bytes) -> tuple[int, bytes]:
        """The reply's status and protobuf. Both questions begin with the one field that counts."""
        if path == HEALTH:
            return OK, SERVING
        if path not in PATHS or not message:
            return UNIMPLEMENTED, b""
        length, start = _number(message, 1)
        asked = message[start : start + length].decode()
        if path == SECRET:
            found = self._secrets.get(asked)
            return (OK, _text(1, found.reveal())) if found else (NOT_FOUND, b"")
        user, password = self._logins(asked) or ("", "")
        return OK, _text(1, user) + _text(2, password)

    def _reply(self, stream: int, status: int, message: bytes) -> None:
        self._send(HEADERS, END_HEADERS, stream, b"\x88" + _header("content-type", "application/grpc"))
        body = b"\0" + len(message).to_bytes(4, "big") + message if status == OK else b""
        self._outbox.put(stream, body, _header("grpc-status", str(status)))

    def _send(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        self._socket.sendall(len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload)

    def _exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            more = self._socket.recv(count - len(got))
            if not more:
                raise ConnectionError("the engine has left")
            got += more
        return got


class Outbox:
    """Answers on their way, each as far as the peer gave leave. `send` takes a frame's kind, flags, stream and payload."""

    def __init__(self, send: Callable[[int, int, int, bytes], None]) -> None:
        self._send = send
        self._open, self._first, self._leave = WINDOW, WINDOW, dict[int, int]()
        self._waiting: dict[int, tuple[bytes, bytes]] = {}

    def put(self, stream: int, body: bytes, end: bytes) -> None:
        """Sends `body`, and `end` as the headers after it."""
        self._leave.setdefault(stream, self._first)
        self._waiting[stream] = (body, end)
        self._flush()

    def allow(self, stream: int, more: int) -> None:
        """`more` bytes may be sent on `stream`; on all together when that is 0."""
        if stream:
            self._leave[stream] = self._leave.get(stream, self._first) + more
        else:
            self._open += more
        self._flush()

    def resize(self, settings: bytes) -> None:
        """The peer's settings: they may change what each call begins with, and those under way change with it."""
        for at in range(0, len(settings) - 5, 6):
            if int.from_bytes(settings[at : at + 2], "big") == FIRST_WINDOW:
                first = int.from_bytes(settings[at + 2 : at + 6], "big")
                self._leave = {stream: leave + first - self._first for stream, leave in self._leave.items()}
                self._first = first
        self._flush()

    def drop(self, stream: int) -> None:
        self._waiting.pop(stream, None)
        self._leave.pop(stream, None)

    def _flush(self) -> None:
        for stream, (body, end) in list(self._waiting.items()):
            while body and (size := min(CHUNK, len(body), self._open, self._leave[stream])) > 0:
                self._send(DATA, 0, stream, body[:size])
                body = body[size:]
                self._open -= size
                self._leave[stream] -= size
            self._waiting[stream] = (body, end)
            if not body:
                self.drop(stream)
                self._send(HEADERS, END_HEADERS | END_STREAM, stream, end)


def _header(name: str, value: str) -> bytes:
    """A header as it is, never kept in a table."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def _text(number: int, text: str) -> bytes:
    """A protobuf string field."""
    data, length = text.encode(), bytearray()
    left = len(data)
    while left > 127:
        length.append(left & 127 | 128)
        left >>= 7
    return bytes([number << 3 | 2, *length, left]) + data


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A protobuf varint at `at`, and where the next byte lies."""
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
