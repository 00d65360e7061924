"""One SSH connection: modern algorithms only, keys only, sessions only. What paramiko leaves open is closed here.

Paramiko reads packets of any size, lets a client try ten times and hangs up on keys it does not know; the classes
below bound the first two and forgive the last, because agents offer every key they hold.
"""

from __future__ import annotations

import base64
import functools
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from wherry.model.user import Actor
from wherry.receiving import limits
from wherry.receiving.security_keys import KINDS
from wherry.receiving.ssh_library import paramiko
from wherry.receiving.terminal import Terminal
from wherry.settings import SSH_USER as USER

TOO_BIG = 2
"""SSH_DISCONNECT_PROTOCOL_ERROR of RFC 4253."""


class Packets(paramiko.Packetizer):  # type: ignore[misc]
    """Reads no packet and no greeting longer than ours need to be: a stranger may not fill our memory.

    Says at once that a packet came. Until the login a client keeps its next small packet back for that (tcp(7), TCP_NODELAY), and
    the kernel would let it wait for 40 ms, twice.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._sock, self._greeted = sock, 0

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        if not 0 <= n <= limits.LARGEST_PACKET:
            self.send_message(_goodbye(f"a packet of {n:,} bytes; at most {limits.LARGEST_PACKET:,} are accepted"))
            raise paramiko.SSHException("packet too long")
        with suppress(OSError):  # hung up
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        data: bytes = super().read_all(n, check_rekey)
        return data

    def _read_timeout(self, timeout: float) -> bytes:
        data: bytes = super()._read_timeout(timeout)
        self._greeted += len(data)
        if self._greeted > limits.LONGEST_BANNER:
            raise paramiko.SSHException("greeting too long")
        return data


class Login(paramiko.AuthHandler):  # type: ignore[misc]
    """Public keys only. A key that is offered is not yet a key that is proven, and one we do not know is only a miss."""

    def __init__(self, transport: Connection) -> None:
        super().__init__(transport)
        self._tries = self._offers = 0
        self._asked_for_methods = self._told_the_user = False

    def _generate_key_from_request(self, algorithm: str, keyblob: bytes) -> Any:
        self.transport.visitor.offered = base64.b64encode(keyblob).decode()
        try:
            return self.transport._key_info[algorithm](paramiko.Message(keyblob))
        except Exception:
            self.transport.visitor.offered = ""
            return paramiko.PKey()

    def _send_auth_result(self, username: str, method: str, result: int) -> None:
        if result != paramiko.AUTH_SUCCESSFUL:
            self._count(method)
            self._help(username)
        super()._send_auth_result(username, method, result)
        if self._tries >= limits.TRIES or self._offers >= limits.OFFERS:
            self._disconnect_no_more_auth()

    def _count(self, method: str) -> None:
        if method == "none" and not self._asked_for_methods:
            self._asked_for_methods = True
        elif method == "publickey" and self.transport.visitor.actor is None:
            self._offers += 1
        else:
            self._tries += 1

    def _help(self, username: str) -> None:
        if username == USER or self._told_the_user:
            return
        self._told_the_user = True
        banner = paramiko.Message()
        banner.add_byte(paramiko.common.byte_chr(paramiko.common.MSG_USERAUTH_BANNER))
        banner.add_string(_right_user(self.transport.sock.getsockname()[1]))
        banner.add_string("en")
        self.transport._send_message(banner)


def _right_user(port: int) -> str:
    """Names the port that was reached: on the usual one there may be another platform."""
    return f"Log in as {USER}, e.g. ssh -p {port} {USER}@host help, or git remote add wherry ssh://{USER}@host:{port}/my-app\r\n"


class Connection(paramiko.Transport):  # type: ignore[misc]
    """A thread that serves one client until either hangs up; calls `over` when it ends."""

    _preferred_kex = tuple(
        name
        for name in (
            "mlkem768x25519-sha256",
            "curve25519-sha256",
            "curve25519-sha256@libssh.org",
            "ecdh-sha2-nistp256",
            "ecdh-sha2-nistp384",
            "ecdh-sha2-nistp521",
            "diffie-hellman-group16-sha512",
        )
        if name in paramiko.Transport._kex_info or name == "curve25519-sha256"
    )
    _kex_info: ClassVar[dict[str, Any]] = {
        **paramiko.Transport._kex_info,
        "curve25519-sha256": paramiko.Transport._kex_info["curve25519-sha256@libssh.org"],
    }
    _preferred_ciphers = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
    _preferred_macs = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
    _preferred_keys = ("ssh-ed25519",)
    _key_info: ClassVar[dict[str, Any]] = {
        "ssh-ed25519": paramiko.Ed25519Key,
        "ecdsa-sha2-nistp256": paramiko.ECDSAKey,
        "ecdsa-sha2-nistp384": paramiko.ECDSAKey,
        "ecdsa-sha2-nistp521": paramiko.ECDSAKey,
        "rsa-sha2-512": paramiko.RSAKey,
        "rsa-sha2-256": paramiko.RSAKey,
        **KINDS,
    }
    _preferred_pubkeys = tuple(_key_info)
    _channel_handler_table: ClassVar[dict[int, Any]] = {
        **paramiko.Transport._channel_handler_table,
        paramiko.common.MSG_CHANNEL_REQUEST: lambda channel, message: _answer(channel, message),
    }

    def __init__(self, sock: socket.socket, host_key: paramiko.PKey, visitor: Visitor, over: Callable[[], None]) -> None:
        super().__init__(sock, packetizer_class=Packets)
        self.local_version = "SSH-2.0-Wherry"
        self.banner_timeout = self.handshake_timeout = self.auth_timeout = limits.GRACE
        self.add_server_key(host_key)
        self.visitor = visitor
        self.idle_channels: dict[int, paramiko.Channel] = {}
        self._over = over

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.idle_channels.clear()
            self._over()

    def _parse_newkeys(self, m: paramiko.Message) -> None:
        self.auth_handler: Any = self.auth_handler or Login(self)
        super()._parse_newkeys(m)

    def _auth_trigger(self) -> None:
        super()._auth_trigger()
        self.visitor.proven(self)
        self.set_keepalive(limits.KEEPALIVE)

    def _queue_incoming_channel(self, channel: paramiko.Channel) -> None:
        """Paramiko holds channels weakly; this keeps one until its request comes."""
        self.idle_channels[channel.get_id()] = channel

    def _unlink_channel(self, chanid: int) -> None:
        self.idle_channels.pop(chanid, None)
        self.visitor.terminals.pop(chanid, None)
        super()._unlink_channel(chanid)


class Visitor(paramiko.ServerInterface):  # type: ignore[misc]
    """Who is at the other end, and the two things they may ask for: a command, or (in vain) a shell.

    `find_user` is asked at every login and again before every command, so a removed key opens nothing any more.
    `begin` gets the channel, this visitor, the command line (None for a shell) and the client's terminal, when it asked
    for one: its own is in raw mode then. It must return at once.
    """

    def __init__(
        self,
        address: str,
        find_user: Callable[[str, str], Actor | None],
        begin: Callable[[paramiko.Channel, Visitor, bytes | None, Terminal | None], None],
        greet: Callable[[], None],
    ) -> None:
        self.address = address
        self.offered = ""
        self.actor: Actor | None = None
        self.terminals: dict[int, Terminal] = {}
        self._type = ""
        self._find_user = find_user
        self._begin = begin
        self._greet = greet
        self._connection: Connection | None = None
        self._granted: Callable[[], None] | None = None

    def still_known(self) -> Actor | None:
        """The actor as of now: None once the key was removed, another role once that was changed."""
        return self._find_user(self._type, self.offered)

    def proven(self, connection: Connection) -> None:
        self._connection = connection
        self._greet()

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: Any) -> int:
        self.actor = None
        if username == USER and self.offered:
            self._type = key.get_name()
            self.actor = self.still_known()
        return int(paramiko.AUTH_SUCCESSFUL if self.actor else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if kind != "session" or self._connection is None:
            return int(paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)
        if len(self._connection._channels) >= limits.MOST_CHANNELS:
            return int(paramiko.OPEN_FAILED_RESOURCE_SHORTAGE)
        return int(paramiko.OPEN_SUCCEEDED)

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        return self._start(channel, command)

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        return self._start(channel, None)

    def check_channel_pty_request(self, channel: paramiko.Channel, term: bytes, width: int, height: int, *_: Any) -> bool:
        """Noted; what stands behind it is decided when the command is known: see `desk` and `no_terminal`."""
        connection = self._connection
        if connection is None or channel.get_id() not in connection.idle_channels:
            return False
        self.terminals[channel.get_id()] = Terminal(term, width, height)
        return True

    def check_channel_window_change_request(self, channel: paramiko.Channel, width: int, height: int, *_: Any) -> bool:
        terminal = self.terminals.get(channel.get_id())
        if terminal is not None:
            terminal.resize(width, height)
        return terminal is not None

    def _start(self, channel: paramiko.Channel, line: bytes | None) -> bool:
        """One request per channel; every other kind (env, subsystem, agent, X11) is refused by paramiko's defaults."""
        connection = self._connection
        if connection is None or connection.idle_channels.pop(channel.get_id(), None) is None:
            return False
        self._granted = functools.partial(self._begin, channel, self, line, self.terminals.get(channel.get_id()))
        return True

    def go_on(self) -> None:
        """Begins what was granted."""
        granted, self._granted = self._granted, None
        if granted:
            granted()


def _answer(channel: Any, message: paramiko.Message) -> None:
    """Answers a request, and begins what was asked for only then: a command that is over at once would close the channel before its
    client has heard that it was taken, and OpenSSH complains of an answer for a channel that is no more."""
    paramiko.Channel._handle_request(channel, message)
    channel.transport.visitor.go_on()


def _goodbye(why: str) -> paramiko.Message:
    message = paramiko.Message()
    message.add_byte(paramiko.common.byte_chr(paramiko.common.MSG_DISCONNECT))
    message.add_int(TOO_BIG)
    message.add_string(why)
    message.add_string("en")
    return message
