"""A certificate: what proves a host to browsers. Ordered by us (`acme`) or brought by a person (`own`)."""

from __future__ import annotations

from dataclasses import dataclass

ORIGINS = ("acme", "own")
STATES = ("pending", "active", "expired")
PRIVATE = ("localhost", "local", "internal", "test", "invalid", "example", "lan", "home", "corp", "onion", "home.arpa")
"""Last labels that no public authority signs (RFC 2606, 6761, 6762, 8375)."""


@dataclass(frozen=True)
class Facts:
    """What a certificate says of itself. Times are RFC 3339; `fingerprint` is SHA-1 in upper-case hex, as the proxy says it."""

    names: tuple[str, ...]
    issuer: str
    serial: str
    fingerprint: str
    not_before: str
    not_after: str


@dataclass(frozen=True)
class Certificate:
    """`name` is the domain it was made for, unique within the app. A pending one has no facts yet. `renew_at` is when a
    new one is ordered, `next_try` when the platform looks at it again. `error` tells of the last failed order, after
    `attempts` in a row. `arrival` is the file in the spool folder that a person's certificate waits in."""

    id: int
    app: str
    app_id: int
    name: str
    origin: str
    state: str
    created_at: str
    facts: Facts | None = None
    renew_at: str = ""
    next_try: str = ""
    attempts: int = 0
    error: str = ""
    arrival: str = ""

    @property
    def file(self) -> str:
        """Its name in the proxy; `_` stands for the `*` of a wildcard."""
        return f"{self.app_id}.{self.name.replace('*', '_')}"


def is_public(host: str) -> bool:
    """Whether a public authority could sign for this host or wildcard: a domain, and not one of a private kind."""
    name = host.removeprefix("*.")
    return "." in name and not any(name == kind or name.endswith(f".{kind}") for kind in PRIVATE)
