"""Ports for servers of tests that are told theirs in advance."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

FIRST = 10_240
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
CHANCE = random.SystemRandom()
"""Not the module's own: hypothesis seeds that, and two runs would want the same ports."""


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, on no address. They are below those that the kernel gives to outgoing connections: one of those may be
    taken by any connection before the server that was told it listens."""
    found: list[int] = []
    while len(found) < count:
        port = CHANCE.randrange(FIRST, int(OUTGOING.read_text("ascii").split()[0]))
        with suppress(OSError), socket.create_server(("", port)):
            found.extend({port} - set(found))
    return found
