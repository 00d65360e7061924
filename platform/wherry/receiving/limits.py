"""Decides who may come in when many knock. Pure: connections are told apart by their address and whether they proved a key."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

GRACE = 20.0
"""Seconds from the first byte to a proven key."""

PATIENCE = 3.0
"""A stranger who takes longer than this may lose the place to a newcomer: a login takes a tenth of a second."""

MOST_CONNECTIONS = 64
MOST_PER_ADDRESS = 32
MOST_STRANGERS = 32
MOST_CHANNELS = 8
"""Sessions at the same time within one connection."""

MOST_COMMANDS = 32
"""Processes at the same time over all connections."""

TRIES = 3
OFFERS = 10
"""Keys a client may offer before the right one: agents offer all they hold, and to offer is not yet to try."""

LARGEST_PACKET = 256 * 1024
LONGEST_BANNER = 1024
KEEPALIVE = 30


@dataclass(eq=False)
class Guest:
    """One connection at the door: where from, since when (monotonic seconds), and whether a key was proven."""

    address: str
    since: float
    proven: bool = False


@dataclass(frozen=True)
class Admission:
    """`leaving` is the stranger who has to go first; `reason` says why nobody comes in."""

    admitted: bool
    leaving: Guest | None = None
    reason: str = ""


def admit(guests: Sequence[Guest], address: str, now: float) -> Admission:
    """May a newcomer from `address` come in? When it is full, the stranger who dawdled longest makes room, or nobody."""
    mine = [guest for guest in guests if guest.address == address]
    strangers = [guest for guest in guests if not guest.proven]
    if len(mine) >= MOST_PER_ADDRESS:
        return _instead_of(mine, now, f"{MOST_PER_ADDRESS} connections from {address} are open")
    if len(guests) >= MOST_CONNECTIONS:
        return _instead_of(list(guests), now, f"{MOST_CONNECTIONS} connections are open")
    if len(strangers) >= MOST_STRANGERS:
        return _instead_of(strangers, now, f"{MOST_STRANGERS} connections are at the login")
    return Admission(True)


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one IPv6 customer owns."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _instead_of(guests: list[Guest], now: float, reason: str) -> Admission:
    slow = [guest for guest in guests if not guest.proven and now - guest.since >= PATIENCE]
    if not slow:
        return Admission(False, reason=reason)
    return Admission(True, leaving=min(slow, key=lambda guest: guest.since))
