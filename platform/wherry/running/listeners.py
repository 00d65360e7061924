"""Which addresses a container listens on, read from the kernel's tables of its first process."""

from __future__ import annotations

import ipaddress
from pathlib import Path

LISTEN = "0A"


def listeners(pid: int, proc: Path = Path("/proc")) -> list[tuple[str, int]]:
    """(address, port) of every listening TCP socket in the network namespace of `pid`; empty when it is gone or hidden."""
    found: list[tuple[str, int]] = []
    for name in ("tcp", "tcp6"):
        try:
            rows = (proc / str(pid) / "net" / name).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        found += [_endpoint(columns[1]) for row in rows if (columns := row.split()) and columns[3] == LISTEN]
    return [(address, port) for address, port in found if address != "127.0.0.11"]


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
