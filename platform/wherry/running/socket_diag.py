"""Asks the kernel about one TCP connection in another network namespace (sock_diag(7), NETLINK_SOCK_DIAG).

/proc/PID/net/tcp says the same, but the kernel walks its whole table of connections for it: 8 ms per look on a machine with
24 GB, on a core that the app needs to boot. A question to a namespace that was entered costs some microseconds on any machine;
entering it, which is done once, a fraction of a millisecond.
"""

from __future__ import annotations

import ctypes
import enum
import socket
import struct
import threading
from pathlib import Path

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, NLMSG_ERROR = 4, 20, 1, 2
CLONE_NEWNET = 0x40000000
ESTABLISHED, SYN_RECV, ALL_STATES, NO_COOKIE = 1, 3, 0xFFFFFFFF, 0xFFFFFFFF
HEADER, REQUEST = struct.Struct("=IHHII"), struct.Struct("=BBBxI")
PORTS, REST = struct.Struct("!HH"), struct.Struct("=III")
"""A socket's id: its port and the other's, 16 bytes for each address, then interface and cookie."""
STATE_AT, INODE_AT = HEADER.size + 1, HEADER.size + 68
TIMEOUT = 1.0
Endpoint = tuple[str, int]


class Standing(enum.Enum):
    """How far the other side is with a connection that is open for us. HELD: its kernel has not made it yet. That passes in an
    instant, but where the program asked for connections that bring data (TCP_DEFER_ACCEPT, as Apache does)."""

    ACCEPTED = "accepted"
    QUEUED = "queued"
    HELD = "held"


class Namespace:
    """The network namespace of `pid`: entered with the first question, and kept open until it is closed."""

    def __init__(self, pid: int, proc: Path = Path("/proc")) -> None:
        self._door = proc / str(pid) / "ns" / "net"
        self._asking: socket.socket | None = None

    def standing(self, local: Endpoint, remote: Endpoint) -> Standing | None:
        """How far the IPv4 connection is that it sees as `local` to `remote`. None when the kernel does not say: no right to
        enter, no such connection there, or a kernel without tcp_diag.
        """
        try:
            if self._asking is None:
                self._asking = _socket_in(self._door)
                self._asking.settimeout(TIMEOUT)
            self._asking.send(_question(local, remote))
            return _answer(self._asking.recv(4096))
        except (OSError, struct.error):
            self.close()  # an answer that comes late would be taken for that to the next question
            return None

    def close(self) -> None:
        """Leaves it; a later question enters it again."""
        if self._asking is not None:
            self._asking.close()
            self._asking = None


def _socket_in(namespace: Path) -> socket.socket:
    """A netlink socket that stays in `namespace`. Entering concerns one thread only, so one is made for it. Raises OSError."""
    made: list[socket.socket] = []
    thread = threading.Thread(target=_enter, args=(namespace, made), name="socket diag", daemon=True)
    thread.start()
    thread.join()
    if not made:
        raise PermissionError(f"{namespace} can not be entered")
    return made[0]


def _enter(namespace: Path, made: list[socket.socket]) -> None:
    try:
        with namespace.open("rb") as door:
            if ctypes.CDLL(None, use_errno=True).setns(door.fileno(), CLONE_NEWNET) == 0:
                made.append(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG))
    except OSError:
        return  # nothing is made: it ended meanwhile, or hides


def _question(local: Endpoint, remote: Endpoint) -> bytes:
    addresses = b"".join(socket.inet_aton(address).ljust(16, b"\0") for address, _ in (local, remote))
    wanted = PORTS.pack(local[1], remote[1]) + addresses + REST.pack(0, NO_COOKIE, NO_COOKIE)
    body = REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, ALL_STATES) + wanted
    return HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + body


def _answer(data: bytes) -> Standing | None:
    _, kind, *_ = HEADER.unpack_from(data)
    if kind != SOCK_DIAG_BY_FAMILY:
        return None
    (inode,) = struct.unpack_from("=I", data, INODE_AT)
    # Where the connection is not made yet, a kernel may name the listener, which has an inode of its own.
    return of(data[STATE_AT], inode)


def of(state: int, inode: int) -> Standing:
    """What the kernel's numbers mean. A connection that it keeps for a listener has no inode yet."""
    if state == SYN_RECV:
        return Standing.HELD
    return Standing.ACCEPTED if state == ESTABLISHED and inode else Standing.QUEUED
