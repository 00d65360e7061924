"""What a person can do with tokens: make one (its secret is shown this once), list them, revoke them."""

from __future__ import annotations

from datetime import timedelta

from wherry import clock
from wherry.access import token_text
from wherry.access.require import require
from wherry.errors import Conflict, Forbidden, InvalidInput, NotFound
from wherry.model.user import ROLES, Actor, Token, check_label, check_role
from wherry.secret import Secret
from wherry.services.platform import Platform
from wherry.services.users import owner
from wherry.store import events, tokens

DAYS = 365
MAX_DAYS = 3650


def create(
    platform: Platform, actor: Actor, name: str, role: str | None = None, user: str | None = None, days: int | None = None
) -> tuple[Token, Secret]:
    """A token of the actor's (or of `user`, for an admin) that ends after `days`. Without `role` it gets all that the
    actor and the user may; more is refused. Raises Conflict when the user has a token of that name."""
    require(actor, "deploy", "make tokens")
    check_label(name, "token")
    expires_at = _expiry(DAYS if days is None else days)
    secret = token_text.new()
    with platform.database.write() as connection:
        whose = owner(connection, actor, user)
        most = min(actor.role, whose.role, key=ROLES.index)
        token = tokens.add(
            connection,
            whose,
            name,
            _role(role, most),
            token_text.shown(secret),
            token_text.digest(secret.reveal()),
            clock.now(),
            expires_at,
        )
        events.add(connection, actor, "token.created", None, clock.now(), token=token.prefix, user=whose.name, role=token.role)
    return token, secret


def every(platform: Platform, actor: Actor) -> list[Token]:
    """One's own; an admin sees all."""
    require(actor, "read", "look at tokens")
    with platform.database.read() as connection:
        return [token for token in tokens.every(connection) if actor.role == "admin" or token.user == actor.name]


def get(platform: Platform, actor: Actor, name: str) -> Token:
    """By its prefix or its name. Raises NotFound, and Conflict when several users have a token of that name."""
    found = [token for token in every(platform, actor) if name in (token.prefix, token.name)]
    own = [token for token in found if token.user == actor.name] or found
    if not own:
        raise NotFound(f"no token {name[:60]!a}", code="no_such_token", hint="See them with: wherry tokens:list")
    if len(own) > 1:
        raise Conflict(f"{len(own)} tokens are named {name[:60]!a}", hint="Give the prefix: wherry tokens:list", code="ambiguous_name")
    return own[0]


def revoke(platform: Platform, actor: Actor, name: str) -> Token:
    """It stops working at once."""
    require(actor, "deploy", "revoke tokens")
    token = get(platform, actor, name)
    with platform.database.write() as connection:
        tokens.remove(connection, token)
        events.add(connection, actor, "token.revoked", None, clock.now(), token=token.prefix, user=token.user)
    return token


def _role(wished: str | None, most: str) -> str:
    role = check_role(most if wished is None else wished)
    if ROLES.index(role) > ROLES.index(most):
        raise Forbidden(f"a token may have the role {most} at most, not {role}")
    return role


def _expiry(days: int) -> str:
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"days={days}: give a whole number from 1 to {MAX_DAYS}, e.g. 90", field="days")
    return clock.text(clock.parse(clock.now()) + timedelta(days=days))
