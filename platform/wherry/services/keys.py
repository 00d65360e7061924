"""What a person can do with SSH keys: add one, list them, remove one; a removed key stops working at once."""

from __future__ import annotations

from wherry import clock
from wherry.access.require import require
from wherry.errors import InvalidInput, NotFound
from wherry.model.user import Actor, Key, check_label
from wherry.receiving import public_key
from wherry.services.platform import Platform
from wherry.services.users import owner
from wherry.store import events, keys


def add(platform: Platform, actor: Actor, text: str, name: str | None = None, user: str | None = None) -> Key:
    """Registers one line as in `id_ed25519.pub`, of the actor's or (for an admin) of `user`. Without `name` the key's
    comment names it. Raises InvalidInput for what is no public key, Conflict when key or name is known already."""
    require(actor, "deploy", "add keys")
    found = public_key.parse(text)
    label = name or found.comment
    if not label:
        raise InvalidInput("this key has no comment that could name it: give a name, e.g. laptop", field="name")
    check_label(label, "key")
    with platform.database.write() as connection:
        whose = owner(connection, actor, user)
        key = keys.add(connection, whose, label, found.type, found.blob, found.fingerprint, clock.now())
        events.add(connection, actor, "key.added", None, clock.now(), key=label, user=whose.name, fingerprint=key.fingerprint)
    return key


def every(platform: Platform, actor: Actor) -> list[Key]:
    """One's own; an admin sees all."""
    require(actor, "read", "look at keys")
    with platform.database.read() as connection:
        return [key for key in keys.every(connection) if actor.role == "admin" or key.user == actor.name]


def get(platform: Platform, actor: Actor, name: str) -> Key:
    """By its name or its fingerprint. Raises NotFound, also for what belongs to others."""
    for key in every(platform, actor):
        if name in (key.name, key.fingerprint):
            return key
    raise NotFound(f"no key {name[:60]!a}", code="no_such_key", hint="See them with: wherry keys:list")


def remove(platform: Platform, actor: Actor, name: str) -> Key:
    """By its name or its fingerprint."""
    require(actor, "deploy", "remove keys")
    key = get(platform, actor, name)
    with platform.database.write() as connection:
        keys.remove(connection, key)
        events.add(connection, actor, "key.removed", None, clock.now(), key=key.name, user=key.user, fingerprint=key.fingerprint)
    return key
