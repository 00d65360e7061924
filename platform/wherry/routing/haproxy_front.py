"""How an app's front (who gets in, what is secure, what is in maintenance) is written into HAProxy's maps and read back. Pure.

    secure   host or wildcard -> the HSTS header, or "-"          presence sends visitors to HTTPS (":" stands for ";",
                                                                  which would end a command of the runtime API)
    doors    app -> <maintenance>:<salt>:<list>                   absent for an app that lets everybody in
    allow    <app>/<digits>/<prefix> -> network                   the address in hex begins with <prefix>
    users    <app>/<credential> -> name

The allow-list is a map of prefixes of hexadecimal addresses because a network of one app must not hide one of another.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from wherry.routing.hosts import is_domain
from wherry.routing.proxy import Door, Route

NO, PLAIN, LIST, NO_HSTS = "no", "plain", "list", "-"


@dataclass(frozen=True)
class Entries:
    """The four maps, or the part of them that is one app's."""

    secure: dict[str, str] = field(default_factory=dict)
    doors: dict[str, str] = field(default_factory=dict)
    allow: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)


def written(route: Route) -> Entries:
    """The entries that a route takes."""
    door = route.door
    words = (door.maintenance or NO, door.salt or NO, LIST if door.allow else NO)
    return Entries(
        dict.fromkeys(route.secure, route.hsts.replace(";", ":") or NO_HSTS),
        {} if door == Door() else {route.app: ":".join(words)},
        {f"{route.app}/{prefix}": network for network in door.allow for prefix in prefixes(network)},
        {f"{route.app}/{secret}": name for secret, name in door.users},
    )


def read(app: str, hosts: tuple[str, ...], held: Entries) -> tuple[tuple[str, ...], str, Door]:
    """`secure`, `hsts` and `door` of an app's route, as `held` has them."""
    secure = tuple(host for host in hosts if host in held.secure)
    hsts = held.secure[secure[0]] if secure else NO_HSTS
    maintenance, salt, _ = held.doors.get(app, f"{NO}:{NO}:{NO}").split(":")
    mine = of_app(app, held)
    door = Door(
        tuple(sorted(set(mine.allow.values()))),
        salt if salt != NO else "",
        tuple(sorted((key.partition("/")[2], name) for key, name in mine.users.items())),
        maintenance if maintenance != NO else "",
    )
    return secure, hsts.replace(":", ";") if hsts != NO_HSTS else "", door


def of_app(app: str, held: Entries) -> Entries:
    """What `held` has of an app's door; of `secure`, which belongs to hosts, nothing."""
    start = f"{app}/"
    mine = ({key: value for key, value in found.items() if key.startswith(start)} for found in (held.allow, held.users))
    return Entries({}, {app: held.doors[app]} if app in held.doors else {}, *mine)


def prefixes(network: str) -> list[str]:
    """`<digits>/<prefix>` for each run of addresses that a network is, in whole hexadecimal digits: at most eight."""
    found = ipaddress.ip_network(network)
    parts: list[Any] = list(found.subnets(new_prefix=-(-found.prefixlen // 4) * 4))
    digits = found.max_prefixlen // 4
    return [f"{digits}/{part.network_address.packed.hex().upper()[: part.prefixlen // 4]}" for part in parts]


def apart(networks: Iterable[str]) -> tuple[str, ...]:
    """The networks without those that lie in another one, sorted as text."""
    found = {ipaddress.ip_network(network) for network in networks}
    inside = {one for one in found for other in found if one != other and one.version == other.version and one.subnet_of(other)}  # type: ignore[arg-type]
    return tuple(sorted(str(network) for network in found - inside))


def is_front(route: Route) -> bool:
    """Whether all words of the route's front are in their strict form."""
    door = route.door
    return all(
        (
            set(route.secure) <= set(route.hosts) and all(is_domain(host) for host in route.secure),
            re.fullmatch(r"(max-age=[0-9]{1,10}(;includeSubDomains)?)?", route.hsts),
            bool(route.hsts) <= bool(route.secure),
            all(_is_network(network) for network in door.allow) and door.allow == apart(door.allow),
            re.fullmatch(r"([0-9a-f]{16,64})?", door.salt) and bool(door.salt) == bool(door.users),
            all(re.fullmatch(r"[0-9A-F]{64}", secret) and re.fullmatch(r"[0-9A-Za-z._@-]{1,64}", name) for secret, name in door.users),
            re.fullmatch(rf"({PLAIN}|[0-9a-f]{{64}})?", door.maintenance),
        )
    )


def _is_network(text: str) -> bool:
    try:
        return str(ipaddress.ip_network(text)) == text
    except ValueError:
        return False
