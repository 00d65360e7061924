"""Where the control API is: the platform's unix socket, or WHERRY_API_URL from another machine."""

from __future__ import annotations

import socket

from wherry.errors import Forbidden, InvalidInput, Unavailable
from wherry.faces.cli.render import quoted

CONNECT_PATIENCE = 10.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Address:
    """`host` goes into the Host header, `prefix` before every path; `shown` names it for people."""

    host = "localhost"
    prefix = ""
    shown = ""

    def connect(self, patience: float) -> socket.socket:
        """An open connection that gives up after `patience` seconds of silence. Raises Unavailable or Forbidden."""
        raise NotImplementedError


class SocketAddress(Address):
    def __init__(self, path: str) -> None:
        self.path = self.shown = path

    def connect(self, patience: float) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(patience)
        try:
            connection.connect(self.path)
        except PermissionError as error:
            connection.close()
            raise Forbidden(
                "this account may not use the platform", hint='Run it with sudo, or ask an admin: wherry users:add NAME --uid "$(id -u)"'
            ) from error
        except OSError as error:
            connection.close()
            raise Unavailable(
                f"the platform is not running: nothing answers at {self.path}",
                hint="Start it: sudo systemctl start wherry, or sudo scripts/up (elsewhere: set WHERRY_API_URL and WHERRY_TOKEN)",
                code="not_running",
            ) from error
        return connection


class UrlAddress(Address):
    def __init__(self, url: str) -> None:
        scheme, sign, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        self.name, self.port = _name_and_port(authority, 443 if scheme == "https" else 80)
        if scheme not in ("http", "https") or not sign or not self.name or "@" in authority or set(url) & set(" ?#\r\n"):
            raise InvalidInput(f"WHERRY_API_URL={quoted(url)}: give an address like http://127.0.0.1:8420", field="WHERRY_API_URL")
        if scheme == "http" and self.name not in LOOPBACK:
            raise InvalidInput(
                f"WHERRY_API_URL={quoted(url)} would send the token in clear: use https, or ssh -L 8420:127.0.0.1:8420 {self.name}",
                field="WHERRY_API_URL",
            )
        self.secure = scheme == "https"
        self.host, self.prefix, self.shown = authority, (slash + path).rstrip("/"), url

    def connect(self, patience: float) -> socket.socket:
        try:
            connection = socket.create_connection((self.name, self.port), CONNECT_PATIENCE)
            connection.settimeout(patience)
            return self._secured(connection) if self.secure else connection
        except OSError as error:
            raise Unavailable(
                f"no answer from {self.shown}: {error.strerror or error}",
                hint="Is the tunnel open? ssh -L 8420:127.0.0.1:8420 HOST",
                code="not_running",
            ) from error

    def _secured(self, connection: socket.socket) -> socket.socket:
        import ssl

        return ssl.create_default_context().wrap_socket(connection, server_hostname=self.name)


def _name_and_port(authority: str, default: int) -> tuple[str, int]:
    """Splits `name:port` and `[::1]:port`; an empty name when it is neither."""
    name, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = authority, str(default)
    if not port.isascii() or not port.isdigit() or not 1 <= int(port[:6]) <= 65535:
        return "", 0
    bracketed = name.startswith("[") and name.endswith("]")
    return (name[1:-1] if bracketed else "" if set(name) & set("[]:") else name), int(port)
