"""Which addresses a container listens on, and whom it accepted, read from the kernel's tables of its first process."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

from wherry import clock
from wherry.running.socket_diag import Namespace, Standing, of

LISTEN = "0A"
HELD = 0.2
"""Seconds that a kernel may take over a handshake; what is held back longer waits for data."""
DOCKER_DNS = "127.0.0.11"
"""Docker's own resolver listens in every container of a bridge network."""


def listeners(pid: int, proc: Path = Path("/proc")) -> list[tuple[str, int]]:
    """(address, port) of every listening TCP socket in the network namespace of `pid`; empty when it is gone or hidden."""
    found = [_endpoint(columns[1]) for columns in _rows(pid, proc) if columns[3] == LISTEN]
    return [(address, port) for address, port in found if address != DOCKER_DNS]


class Witness:
    """Sees whom the programs in the network namespace of `pid` accept. Holds that namespace open until it is closed."""

    def __init__(self, pid: int, proc: Path = Path("/proc")) -> None:
        self._pid, self._proc = pid, proc
        self._namespace = Namespace(pid, proc)
        self._held_since: float | None = None

    def accepted(self, connection: socket.socket) -> bool | None:
        """Whether one of them accepted our TCP `connection`; None when that is hidden from us (proc(5), net/tcp; inet_diag).

        A connection that goes on being held back will not be accepted before it brings data, and ours brings none, so the
        listener's word must do. Apache's own patience with it is 30 s.
        """
        try:
            local, remote = connection.getpeername(), connection.getsockname()
        except OSError:
            return False  # it was refused after all
        said = self._namespace.standing(local, remote) or _in_tables(self._pid, local[1], remote[1], self._proc)
        if said is Standing.HELD:
            self._held_since = self._held_since or clock.monotonic()
            return clock.monotonic() - self._held_since >= HELD
        self._held_since = None
        return None if said is None else said is Standing.ACCEPTED

    def close(self) -> None:
        self._namespace.close()


def _in_tables(pid: int, port: int, peer: int, proc: Path) -> Standing | None:
    if not (proc / str(pid) / "net" / "tcp").exists():
        return None
    rows = [columns for columns in _rows(pid, proc) if (_endpoint(columns[1])[1], _endpoint(columns[2])[1]) == (port, peer)]
    return of(int(rows[0][3], 16), int(rows[0][9])) if rows else Standing.QUEUED


def _rows(pid: int, proc: Path) -> list[list[str]]:
    """The columns of every TCP socket."""
    found: list[list[str]] = []
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / str(pid) / "net" / name).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        found += [columns for line in lines if (columns := line.split())]
    return found


def reachable(address: str) -> bool:
    """Whether a listener on `address` can be reached from outside its container."""
    return not ipaddress.ip_address(address).is_loopback


def _endpoint(text: str) -> tuple[str, int]:
    """Reads the kernel's `0100007F:1388`: 32-bit words in the machine's (little-endian) order."""
    address, port = text.split(":")
    words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
    parsed = ipaddress.ip_address(b"".join(words))
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed), int(port, 16)
