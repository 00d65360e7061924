"""A drain: where an app's log is sent as it grows, and what may be said about that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from wherry.errors import InvalidInput
from wherry.secret import Secret

PORTS = {"syslog+tcp": 514, "syslog+udp": 514, "syslog+tls": 6514, "https": 443, "http": 80}
SPELLINGS = {"syslog": "syslog+tcp", "syslog+ssl": "syslog+tls"}
MAX_DRAINS = 5
LONGEST = 500
EXAMPLE = "give syslog+tcp://, syslog+udp:// or syslog+tls://HOST:PORT, or https://HOST/PATH, e.g. syslog+tls://logs.example.org:6514"


@dataclass(frozen=True)
class Drain:
    """`token` names it, here and to the receiver. `state` is `sending` or `failing`, since `since`; `detail` says why."""

    id: int
    app: str
    url: Secret
    token: str
    created_at: str
    created_by: str
    state: str = "sending"
    detail: str = ""
    since: str = ""

    @property
    def shown(self) -> str:
        return shown(self.url.reveal())


@dataclass(frozen=True)
class Receiver:
    """The parts of a drain's address. `login` is `user:password` or empty; `target` the path and query of an HTTP one."""

    scheme: str
    host: str
    port: int
    login: str
    target: str


def check_url(text: str) -> str:
    """The address in its one spelling. Raises InvalidInput with the allowed forms."""
    scheme, sign, rest = text.partition("://")
    scheme = SPELLINGS.get(scheme.lower(), scheme.lower())
    whole = f"{scheme}://{rest}"
    try:
        if not sign or len(text) > LONGEST or scheme not in PORTS or not re.fullmatch(r"[!-~]+", rest):
            raise ValueError
        receiver = parse_url(whole)
        if not re.fullmatch(r"[0-9A-Za-z.:-]{1,253}", receiver.host) or not 0 < receiver.port < 65536:
            raise ValueError
        if scheme.startswith("syslog") and (receiver.login or receiver.target != "/"):
            raise ValueError
    except ValueError as error:
        raise InvalidInput(f"drain {shown(text)[:100]!a}: {EXAMPLE}", field="url") from error
    return whole


def parse_url(url: str) -> Receiver:
    """Raises ValueError for a port that is none."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(parts.scheme, parts.hostname or "", PORTS[parts.scheme] if parts.port is None else parts.port, login, target)


def shown(url: str) -> str:
    """The address as anybody may read it: people put secrets into the login, the path and the query."""
    scheme, sign, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    place, asks, _ = place.partition("?")
    login, at, host = place.rpartition("@")
    return f"{scheme}{sign}{'***' if login else ''}{at}{host}{slash}{'***' if path or asks else ''}"[:200]
