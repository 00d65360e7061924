"""The SSH receiver: listens, lets in, serves, until told to stop.

It knows nothing of databases and policies: `Doors` holds the three questions it asks.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wherry import clock
from wherry.errors import Unavailable
from wherry.model.user import Actor
from wherry.receiving import host_key, limits
from wherry.receiving.connection import Connection, Visitor
from wherry.receiving.desk import Caller, Desk
from wherry.receiving.limits import Guest
from wherry.receiving.ssh_library import paramiko
from wherry.receiving.terminal import Terminal
from wherry.settings import Settings

BACKLOG = 128
DEAD_AFTER_MS = 90_000
"""A peer that acknowledges nothing for this long is gone: its cable was pulled."""


@dataclass(frozen=True)
class Doors:
    """What the receiver is given.

    find_user(key_type, blob): the actor who owns the key (blob in base64), None when nobody does. Asked at every login
    and before every command, so a removed key stops working at once.
    authorize(actor, needed_role, what): raises Forbidden with the reason.
    cli: the argument list that starts the command line; the person's words follow as `wherry.words` has it.
    """

    find_user: Callable[[str, str], Actor | None]
    authorize: Callable[[Actor, str, str], None]
    cli: Sequence[str]


def serve(settings: Settings, doors: Doors) -> None:
    """Serves `settings.ssh_port` until SIGTERM or SIGINT. Raises Unavailable when the port is taken."""
    receiver = Receiver(settings, doors)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: receiver.stop())
    receiver.serve()


class Receiver:
    """The listening socket and everybody who came in by it. Who has no key proven after `grace` seconds has to leave, and a
    pusher who reads nothing for `patience` seconds (None: as the hook has it) is taken for gone."""

    def __init__(self, settings: Settings, doors: Doors, grace: float = limits.GRACE, patience: float | None = None) -> None:
        self._grace = grace
        self._doors = doors
        self._host_key = paramiko.Ed25519Key.from_private_key_file(str(host_key.ensure(settings)))
        self._desk = Desk(settings, doors.authorize, doors.cli, patience)
        self._guests: dict[Guest, Connection] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener = _listen(settings.ssh_port)

    def serve(self) -> None:
        """Blocks until `stop`."""
        threading.Thread(target=self._watch_the_login, daemon=True).start()
        while not self._stopping.is_set():
            with suppress(OSError):
                sock, address = self._listener.accept()
                self._receive(sock, limits.network_of(address[0]))
        self._listener.close()
        self._desk.close()

    def stop(self) -> None:
        """Ends `serve`: nobody comes in any more, all are hung up on."""
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)

    def _receive(self, sock: socket.socket, address: str) -> None:
        with self._lock:
            now = clock.monotonic()
            admission = limits.admit(list(self._guests), address, now)
            if admission.leaving:
                _hang_up(self._guests[admission.leaving])
            if admission.admitted:
                self._let_in(sock, Guest(address, now))
        if not admission.admitted:
            print(f"ssh {address} not let in: {admission.reason}", file=sys.stderr, flush=True)
            sock.close()

    def _let_in(self, sock: socket.socket, guest: Guest) -> None:
        _tune(sock)
        visitor = Visitor(guest.address, self._doors.find_user, self._begin, lambda: setattr(guest, "proven", True))
        connection = Connection(sock, self._host_key, visitor, lambda: self._forget(guest))
        self._guests[guest] = connection
        connection.start_server(event=threading.Event(), server=visitor)

    def _forget(self, guest: Guest) -> None:
        with self._lock:
            self._guests.pop(guest, None)

    def _begin(self, channel: Any, visitor: Visitor, line: bytes | None, terminal: Terminal | None) -> None:
        caller = Caller(visitor.address, visitor.still_known, terminal)
        threading.Thread(target=self._desk.answer, args=(channel, caller, line), daemon=True).start()

    def _watch_the_login(self) -> None:
        """Hangs up on those who prove no key within the grace, whatever they are busy with."""
        while not self._stopping.wait(self._grace / 20):
            with self._lock:
                late = clock.monotonic() - self._grace
                slow = [connection for guest, connection in self._guests.items() if not guest.proven and guest.since < late]
            for connection in slow:
                _hang_up(connection)


def _listen(port: int) -> socket.socket:
    """One socket for IPv4 and IPv6 alike, or IPv4 alone where the machine has no IPv6."""
    try:
        if socket.has_dualstack_ipv6():
            with suppress(OSError):
                return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
        return socket.create_server(("", port), backlog=BACKLOG)
    except OSError as error:
        hint = "Set another with WHERRY_SSH_PORT."
        raise Unavailable(f"port {port} for ssh can not be opened: {error.strerror}", hint=hint, code="port_taken") from error


def _tune(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, limits.KEEPALIVE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, limits.KEEPALIVE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_MS)


def _hang_up(connection: Connection) -> None:
    """Its thread sees the end of the stream and cleans up; paramiko's own close would wait for that thread."""
    with suppress(OSError):
        connection.sock.shutdown(socket.SHUT_RDWR)
