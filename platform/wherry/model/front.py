"""How an app meets its visitors: HTTPS, who gets in, maintenance. Its domains are rows of their own, because they are unique."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from wherry.errors import InvalidInput

REDIRECTS = ("auto", "on", "off")
"""To HTTPS: where a certificate is, always, never."""
MAX_DOMAINS = 100
MAX_ALLOW = 200
MAX_USERS = 100
MAX_PAGE = 64 * 1024
MIN_PASSWORD = 8
MAX_HSTS = 63_072_000
"""Two years in seconds: what browsers' own lists ask for at most."""


@dataclass(frozen=True)
class Front:
    """`default_host` says whether the app answers at `<app>.<domain of the platform>`. `hsts` is in seconds, 0 for none.
    `certs_auto` lets the platform order certificates for the app. `allow` are networks as people wrote them; `users` maps
    names to their credentials, made with `salt`. `page` is the digest of the owner's maintenance page, empty for ours."""

    default_host: bool = True
    redirect: str = "auto"
    hsts: int = 0
    hsts_subdomains: bool = False
    certs_auto: bool = True
    allow: tuple[str, ...] = ()
    salt: str = ""
    users: dict[str, str] = field(default_factory=dict)
    maintenance: bool = False
    page: str = ""


def to_json(front: Front) -> dict[str, Any]:
    return asdict(front)


def from_json(document: dict[str, Any]) -> Front:
    known = {name: document[name] for name in Front.__dataclass_fields__ if name in document}
    return Front(**{**known, "allow": tuple(known.get("allow", ()))})


def check_redirect(text: str) -> str:
    """Raises InvalidInput with the allowed words."""
    if text not in REDIRECTS:
        raise InvalidInput(f"redirect {_shown(text)}: give auto, on or off", field="redirect")
    return text


def check_hsts(seconds: int) -> int:
    """Raises InvalidInput outside 0 to two years."""
    if not 0 <= seconds <= MAX_HSTS:
        raise InvalidInput(f"hsts {seconds}: give seconds from 0 (off) to {MAX_HSTS} (two years), e.g. 31536000", field="hsts")
    return seconds


def check_network(text: str) -> str:
    """An address or network in its one form, `192.0.2.1/32`. Raises InvalidInput with the allowed form and an example."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise InvalidInput(_network_advice(text), field="addresses") from error


def check_user(name: str) -> str:
    """Raises InvalidInput with the allowed form and an example."""
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._@-]{0,63}", name):
        raise InvalidInput(f'user {_shown(name)}: use letters, digits and "._@-", 1-64 characters, e.g. alice', field="user")
    return name


def check_password(text: str) -> str:
    """Raises InvalidInput for what is short, over-long or holds control characters. The password is in no message."""
    if not MIN_PASSWORD <= len(text) <= 200 or not text.isprintable():
        raise InvalidInput(f"password: give {MIN_PASSWORD}-200 characters without line ends, or none to get one made", field="password")
    return text


def check_page(html: str) -> str:
    """Raises InvalidInput for an empty page or one over 64 KB."""
    size = len(html.encode())
    if not html.strip() or size > MAX_PAGE:
        raise InvalidInput(f"page of {size} bytes: give HTML in UTF-8, 1-{MAX_PAGE} bytes", field="page")
    return html


def domain_words(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """`Add domain a.example.org and remove domain b.example.org`; empty when both are the same hosts."""
    changes = {
        "add domain": [host for host in after if host not in before],
        "remove domain": [host for host in before if host not in after],
    }
    parts = [f"{verb} {', '.join(hosts)}" for verb, hosts in changes.items() if hosts]
    return " and ".join(parts).capitalize()


def _network_advice(text: str) -> str:
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        return f"address {_shown(text)}: give an address or a network, e.g. 192.0.2.7 or 192.0.2.0/24"
    return f"address {_shown(text)}: give the network {found.network} or the address {found.ip}"


def _shown(text: str) -> str:
    return f'"{ascii(text[:60])[1:-1]}"'
