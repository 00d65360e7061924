"""Decides which addresses the platform may connect to on someone's word: public ones, unless a setting allows the others."""

from __future__ import annotations

import ipaddress
import socket

from wherry.errors import Forbidden, Unavailable

NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def resolve(host: str, port: int, internal: bool = False, setting: str = "WHERRY_FETCH_INTERNAL") -> str:
    """The one address to connect to: the first of `resolve_all`, and raises the same."""
    return resolve_all(host, port, internal, setting)[0]


def resolve_all(host: str, port: int, internal: bool = False, setting: str = "WHERRY_FETCH_INTERNAL") -> list[str]:
    """The addresses to connect to, in the order in which they should be tried. Resolved once, so that nobody gets another answer later;
    the caller connects to them.

    Raises Forbidden when any address of `host` is private or local and `internal` is False, which `setting` would allow;
    Unavailable when it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"the host {host} is not known", hint="Check its spelling.", code="no_such_host") from error
    addresses = [str(entry[4][0]) for entry in found]
    inside = next((address for address in addresses if not is_public(address)), None)
    if inside is not None and not internal:
        where = "" if host.strip("[]") == inside else f"at {inside}, which is "
        raise Forbidden(
            f"{host} is {where}a private or local address",
            hint=f"Only public hosts may be named here; the platform's owner allows others with {setting}=yes.",
            code="address_refused",
        )
    return list(dict.fromkeys(addresses))


def is_public(text: str) -> bool:
    """False for every spelling of a private, local, shared or reserved address: IPv4 inside IPv6 too."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None,))[0] or _nat64(address)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None
