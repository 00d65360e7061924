"""Which addresses a container listens on, read from the kernel's tables of its first process."""

from __future__ import annotations

import ipaddress
from pathlib import Path

LISTEN = "0A"
DOCKER_DNS = "127.0.0.11"
"""Docker's own resolver listens in every container of a bridge network."""


def listeners(pid: int, proc: Path = Path("/proc")) -> list[tuple[str, int]]:
    """(address, port) of every listening TCP socket in the network namespace of `pid`; empty when it is gone or hidden."""
    found = [_endpoint(columns[1]) for columns in _rows(pid, proc)]
    return [(address, port) for address, port in found if address != DOCKER_DNS]


def backlog(pid: int, port: int, proc: Path = Path("/proc")) -> int | None:
    """How many connections wait to be accepted by the listeners on `port`; None when no listener can be seen.

    The kernel shows the length of the accept queue as the receive queue of a listening socket (proc(5), net/tcp).
    """
    queues = [int(columns[4].split(":")[1], 16) for columns in _rows(pid, proc) if _endpoint(columns[1])[1] == port]
    return sum(queues) if queues else None


def _rows(pid: int, proc: Path) -> list[list[str]]:
    """The columns of every listening socket."""
    found: list[list[str]] = []
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / str(pid) / "net" / name).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        found += [columns for line in lines if (columns := line.split()) and columns[3] == LISTEN]
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
