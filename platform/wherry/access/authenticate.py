"""Who is asking? A bearer token or the kernel's word about the other end of a local socket becomes an actor.

An answer is an Actor or Unauthenticated with the reason and the way out; there is no anonymous actor.
"""

from __future__ import annotations

import pwd
from datetime import timedelta

from wherry import clock
from wherry.access import token_text
from wherry.errors import BadRequest, Unauthenticated
from wherry.model.user import ROLES, Actor, Token, User
from wherry.store import tokens, users
from wherry.store.database import Database

HINT = "Use sudo, or a token: wherry tokens:create NAME"
TOUCH_EVERY = timedelta(minutes=1)


def by_header(database: Database, header: str) -> Actor:
    """Reads `Authorization: Bearer wherry_…`. Raises BadRequest for two headers at once, Unauthenticated otherwise."""
    if "," in header:
        raise BadRequest("two Authorization headers: send one", field="Authorization")
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthenticated("the Authorization header is not of the form: Bearer wherry_…", hint=HINT)
    return by_token(database, text.strip())


def by_token(database: Database, text: str) -> Actor:
    """The owner of the token, with the lesser of its role and the user's."""
    if not text.startswith(token_text.PREFIX):
        raise Unauthenticated(f"this is no token of Wherry: they start with {token_text.PREFIX}", hint=HINT)
    if not token_text.is_whole(text):
        raise Unauthenticated("this token has a typo or is cut short: its checksum does not fit", hint="Copy it again.")
    with database.read() as connection:
        token = tokens.by_hash(connection, token_text.digest(text))
        user = users.find(connection, token.user) if token else None
    if token is None or user is None:
        raise Unauthenticated("this token is unknown or was revoked", hint=HINT)
    if token.expires_at and token.expires_at <= clock.now():
        raise Unauthenticated(f"this token expired on {token.expires_at[:10]}", hint=HINT)
    _touch(database, token)
    return Actor(user.name, min(token.role, user.role, key=ROLES.index), "token")


def by_peer(database: Database, uid: int, receiver: str, speaks_for: str = "") -> Actor:
    """The account `uid` at the other end of a local socket: root is admin, a registered account is its user, and the
    account named `receiver` (who has proven SSH keys) speaks for the user named `speaks_for`."""
    if speaks_for:
        return _spoken_for(database, uid, receiver, speaks_for)
    if uid == 0:
        return Actor("root", "admin", "local")
    with database.read() as connection:
        user = users.by_uid(connection, uid)
    if user is None:
        raise Unauthenticated(f"the account {_account(uid)} is no user of this platform", hint=HINT)
    return Actor(user.name, user.role, "local")


def _spoken_for(database: Database, uid: int, receiver: str, name: str) -> Actor:
    if uid not in (0, _uid_of(receiver)):
        raise Unauthenticated(f"the account {_account(uid)} may not speak for others", hint=HINT)
    with database.read() as connection:
        user: User | None = users.find(connection, name)
    if user is None:
        raise Unauthenticated(f"no user {name[:40]!a}")
    return Actor(user.name, user.role, "ssh")


def _touch(database: Database, token: Token) -> None:
    """Notes the use of a token, once a minute at most: a read should not wait for the disk."""
    now = clock.now()
    if token.last_used_at and clock.parse(now) - clock.parse(token.last_used_at) < TOUCH_EVERY:
        return
    with database.write() as connection:
        tokens.touch(connection, token, now)


def _uid_of(account: str) -> int | None:
    try:
        return pwd.getpwnam(account).pw_uid
    except KeyError:
        return None


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
