"""Users, the SSH keys and tokens that prove them, and the actor that a request speaks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wherry.errors import InvalidInput

ROLES = ("read", "deploy", "admin")
"""From least to most: read sees everything but secrets, deploy also changes apps, admin also changes users, keys and tokens."""


@dataclass(frozen=True)
class User:
    """`local_uid` is the machine's own account that may speak for this user over the local socket."""

    id: int
    name: str
    role: str
    created_at: str
    local_uid: int | None = None


@dataclass(frozen=True)
class Key:
    """An SSH public key. `fingerprint` is OpenSSH's `SHA256:…`; `blob` the base64 key as in authorized_keys."""

    id: int
    user: str
    name: str
    type: str
    blob: str
    fingerprint: str
    created_at: str


@dataclass(frozen=True)
class Token:
    """A bearer token, without its secret: only the hash is stored. `role` never exceeds its user's."""

    id: int
    user: str
    name: str
    role: str
    prefix: str
    created_at: str
    expires_at: str | None = None
    last_used_at: str | None = None


@dataclass(frozen=True)
class Actor:
    """Who asks: a user's name, the role in force for this request, and the way they came (`ssh`, `token`, `local`)."""

    name: str
    role: str
    via: str


PLATFORM = Actor("wherry", "admin", "engine")
"""The actor of what the platform does on its own, such as restarting a crashed instance."""


def check_user_name(name: str) -> str:
    """Returns `name` when it is a user name; raises InvalidInput otherwise."""
    if not re.fullmatch(r"[a-z][0-9a-z._-]{0,31}", name):
        raise InvalidInput(
            f'user name "{ascii(name[:40])[1:-1]}": use a-z, 0-9, ".", "_" and "-", up to 32 characters (e.g. alice)', field="user"
        )
    return name


def check_role(role: str) -> str:
    if role not in ROLES:
        raise InvalidInput(f'role "{ascii(role[:40])[1:-1]}": give one of {", ".join(ROLES)}', field="role")
    return role


def check_label(name: str, what: str) -> str:
    """Returns `name` when it can name a key or a token in a list and in a URL; raises InvalidInput otherwise."""
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z@+:._-]{0,63}", name):
        raise InvalidInput(
            f'{what} name "{ascii(name[:40])[1:-1]}": use letters, digits and "@+:._-", up to 64 characters (e.g. laptop)', field="name"
        )
    return name
