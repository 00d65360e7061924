"""HTTP/1.1 to the control API: over the platform's unix socket, or over TCP with a token. http.client would double the start-up time.

Each request is a connection of its own; an answer is read to its end or found cut off (`Dropped`).
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import IO, Any, cast

from wherry.errors import BadRequest, Unavailable, WherryError
from wherry.faces.cli.address import Address
from wherry.faces.cli.problems import error_of

PATIENCE = 90.0
"""Seconds of silence after which the other side is taken for dead; streams carry a comment every 15 s."""

UNRESERVED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")

LONGEST_LINE = 4 * 1024 * 1024


class Dropped(WherryError):
    """The connection ended in the middle of an answer."""

    status, exit_status, default_code = 503, 6, "connection_lost"


class Answer:
    """Status, headers (names in lower case) and the body, which is read when it is wanted."""

    def __init__(self, connection: socket.socket, file: IO[bytes]) -> None:
        self._connection = connection
        self._file = file
        try:
            self.status, self.headers = _read_head(file)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._file.close()
        self._connection.close()

    def document(self) -> Any:
        """The body as JSON, None when it is empty."""
        body = b"".join(self.pieces())
        try:
            return json.loads(body) if body.strip() else None
        except ValueError as error:
            raise BadRequest(
                "the API answered with something that is not JSON", hint="Is WHERRY_API_URL the address of a Wherry API?"
            ) from error

    def pieces(self) -> Iterator[bytes]:
        """The body as it arrives; the connection is closed after it. Raises Dropped when it is cut off."""
        try:
            if self.headers.get("transfer-encoding", "").lower() == "chunked":
                yield from _chunks(self._file)
            else:
                yield from _plain(self._file, self.headers.get("content-length"))
        except OSError as error:
            raise _dropped() from error
        finally:
            self.close()

    def lines(self) -> Iterator[str]:
        """The body's whole lines as they arrive, without their ends."""
        waiting = b""
        for piece in self.pieces():
            *whole, waiting = (waiting + piece).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
            if len(waiting) > LONGEST_LINE:
                raise _dropped()
        if waiting:
            yield waiting.decode("utf-8", "replace")


class Client:
    """Speaks to one API. `headers` go with every request."""

    def __init__(self, address: Address, headers: dict[str, str]) -> None:
        self.address = address
        self.headers = headers

    def get(self, path: str, **query: str | None) -> Any:
        return self.send("GET", path, query=query)

    def send(self, method: str, path: str, body: Any = None, query: dict[str, str | None] | None = None) -> Any:
        """The document that answers. Raises the WherryError that a problem document tells."""
        return self.open(method, path, body, query).document()

    def open(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, str | None] | None = None,
        accept: str = "application/json",
        **headers: str,
    ) -> Answer:
        """Sends a request and returns as soon as the answer's head is there."""
        given = {key: value for key, value in (query or {}).items() if value is not None}
        target = self.address.prefix + path + ("?" + "&".join(f"{key}={segment(value)}" for key, value in given.items()) if given else "")
        connection = self.address.connect(PATIENCE)
        try:
            _send(connection, self._request(method, target, body, {"Accept": accept, **headers}))
            answer = Answer(connection, connection.makefile("rb"))
        except OSError as error:
            connection.close()
            raise _dropped() from error
        if answer.status >= 400:
            raise error_of(answer.status, answer.document(), self.address.shown)
        return answer

    def upload(self, path: str, pieces: Iterator[bytes], query: dict[str, str]) -> Any:
        """Sends a body of unknown length as it comes; returns the document that answers."""
        target = self.address.prefix + path + ("?" + "&".join(f"{key}={segment(value)}" for key, value in query.items()) if query else "")
        every = {"Host": self.address.host, "Connection": "close", "Accept": "application/json", **self.headers}
        every |= {"Content-Type": "application/octet-stream", "Transfer-Encoding": "chunked"}
        head = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in every.items())
        connection = self.address.connect(PATIENCE)
        try:
            if _send(connection, f"POST {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1", "replace")):
                all(_send(connection, b"%x\r\n%s\r\n" % (len(piece), piece)) for piece in pieces) and _send(connection, b"0\r\n\r\n")
            answer = Answer(connection, connection.makefile("rb"))
        except OSError as error:
            connection.close()
            raise _dropped() from error
        if answer.status >= 400:
            raise error_of(answer.status, answer.document(), self.address.shown)
        return answer.document()

    def upgrade(self, path: str, protocol: str) -> socket.socket:
        """A connection that speaks `protocol` from now on; its silence has no limit. What follows the head is not read."""
        connection = self.address.connect(PATIENCE)
        try:
            _send(connection, self._request("POST", self.address.prefix + path, None, {"Connection": "Upgrade", "Upgrade": protocol}))
            answer = Answer(connection, cast("IO[bytes]", connection.makefile("rb", 0)))
        except OSError as error:
            connection.close()
            raise _dropped() from error
        if answer.status != 101:
            raise error_of(answer.status, answer.document(), self.address.shown)
        connection.settimeout(None)
        return connection

    def _request(self, method: str, target: str, body: Any, headers: dict[str, str]) -> bytes:
        content = b"" if body is None else json.dumps(body).encode()
        about = {"Content-Type": "application/json", "Content-Length": str(len(content))} if body is not None or method != "GET" else {}
        every = {"Host": self.address.host, "Connection": "close", **self.headers, **headers, **about}
        head = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in every.items())
        return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1", "replace") + content


def _send(connection: socket.socket, request: bytes) -> bool:
    """False when the other side reads no more. An API that refuses a large body early hangs up before it has read it all;
    its answer is there all the same."""
    try:
        connection.sendall(request)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def segment(text: str) -> str:
    """`text` as one segment of a path or one value of a query (RFC 3986, section 2.3)."""
    return "".join(chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in text.encode("utf-8", "surrogateescape"))


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


def _read_head(file: IO[bytes]) -> tuple[int, dict[str, str]]:
    words = _line(file).split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise Unavailable("what answers there is not a Wherry API", code="not_an_api")
    headers: dict[str, str] = {}
    while line := _line(file):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(words[1]), headers


def _line(file: IO[bytes]) -> bytes:
    line = file.readline(65537)
    if not line.endswith(b"\n"):
        raise _dropped()
    return line.rstrip(b"\r\n")


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    """The data of a chunked body, each chunk as it arrives."""
    while length := int(_line(file).split(b";")[0], 16):
        data = file.read(length)
        if len(data) < length:
            raise _dropped()
        _line(file)
        yield data
    while _line(file):
        pass


def _plain(file: IO[bytes], length: str | None) -> Iterator[bytes]:
    """A body of known length, or one that ends with the connection."""
    left = int(length) if length is not None else None
    while left != 0:
        data = file.read1(65536 if left is None else min(left, 65536))  # type: ignore[attr-defined]
        if not data:
            if left:
                raise _dropped()
            return
        left = None if left is None else left - len(data)
        yield data


def _dropped() -> Dropped:
    return Dropped("the connection to the platform was lost", hint="See what is going on: wherry operations")
