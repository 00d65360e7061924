"""Who stands behind an offered SSH key."""

from __future__ import annotations

from wherry.model.user import Actor
from wherry.services.platform import Platform
from wherry.store import keys, users


def by_key(platform: Platform, key_type: str, blob: str) -> Actor | None:
    """The user whose key this is; None when nobody's. Asked on every login, so a removed key stops working at once."""
    with platform.database.read() as connection:
        key = keys.by_blob(connection, blob)
        user = users.find(connection, key.user) if key and key.type == key_type else None
    return Actor(user.name, user.role, "ssh") if user else None
