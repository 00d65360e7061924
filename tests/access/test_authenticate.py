"""Who is asking? Over real SQLite and the accounts of this machine."""

import os
import pwd
from datetime import timedelta
from pathlib import Path

import pytest

from stored_platform import ADMIN, new_platform
from wherry import clock
from wherry.access import authenticate, token_text
from wherry.errors import BadRequest, Unauthenticated
from wherry.model.user import Actor
from wherry.secret import Secret
from wherry.services import tokens, users
from wherry.services.platform import Platform
from wherry.store import tokens as store
from wherry.store import users as user_store

RECEIVER = "nobody"


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    made = new_platform(tmp_path)
    users.add(made, ADMIN, "dora", "deploy", 12345)
    return made


def token(platform: Platform, role: str = "deploy") -> str:
    return tokens.create(platform, ADMIN, "ci", role, "dora")[1].reveal()


def test_a_token_speaks_for_its_owner(platform: Platform) -> None:
    assert authenticate.by_header(platform.database, f"Bearer {token(platform)}") == Actor("dora", "deploy", "token")


def test_a_token_may_less_than_its_owner_and_never_more(platform: Platform) -> None:
    secret = token(platform)
    with platform.database.write() as connection:
        user_store.give_role(connection, user_store.get(connection, "dora"), "read")
    assert authenticate.by_token(platform.database, secret).role == "read"


def test_a_revoked_token_stops_working_at_once(platform: Platform) -> None:
    secret = token(platform)
    tokens.revoke(platform, ADMIN, token_text.shown(Secret(secret)))
    with pytest.raises(Unauthenticated, match="unknown or was revoked"):
        authenticate.by_token(platform.database, secret)


def test_an_expired_token_says_when_it_ended(platform: Platform) -> None:
    secret = token_text.new()
    past = clock.text(clock.parse(clock.now()) - timedelta(seconds=1))
    with platform.database.write() as connection:
        dora = user_store.get(connection, "dora")
        store.add(connection, dora, "old", "read", token_text.shown(secret), token_text.digest(secret.reveal()), past, past)
    with pytest.raises(Unauthenticated, match=f"expired on {past[:10]}"):
        authenticate.by_token(platform.database, secret.reveal())


def test_a_typo_is_told_from_a_revoked_token(platform: Platform) -> None:
    secret = token(platform)
    wrong = secret[:-8] + ("a" if secret[-8] != "a" else "b") + secret[-7:]
    for text in (wrong, secret[:-1], secret + "0"):
        with pytest.raises(Unauthenticated, match="typo or is cut short"):
            authenticate.by_token(platform.database, text)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dXNlcjpwdw==", "wherry_abc", "Bearer ghp_x", "Bearer \u0661"])
def test_a_header_that_is_no_token_is_refused(platform: Platform, header: str) -> None:
    with pytest.raises(Unauthenticated):
        authenticate.by_header(platform.database, header)


def test_two_headers_are_one_too_many(platform: Platform) -> None:
    secret = token(platform)
    with pytest.raises(BadRequest, match="two Authorization headers"):
        authenticate.by_header(platform.database, f"Bearer {secret},Bearer {secret}")


def test_the_use_of_a_token_is_noted_once_a_minute(platform: Platform) -> None:
    secret = token(platform)
    authenticate.by_token(platform.database, secret)
    first = tokens.every(platform, ADMIN)[0].last_used_at
    authenticate.by_token(platform.database, secret)
    assert first is not None and tokens.every(platform, ADMIN)[0].last_used_at == first


def test_tokens_differ_and_their_checksum_is_of_all_of_them() -> None:
    made = {token_text.new().reveal() for _ in range(1000)}
    assert len(made) == 1000
    assert all(token_text.is_whole(text) for text in made)
    assert not token_text.is_whole("wherry_" + "a" * 36)


def test_root_at_the_socket_is_admin(platform: Platform) -> None:
    assert authenticate.by_peer(platform.database, 0, RECEIVER) == Actor("root", "admin", "local")


def test_a_registered_account_at_the_socket_is_its_user(platform: Platform) -> None:
    assert authenticate.by_peer(platform.database, 12345, RECEIVER) == Actor("dora", "deploy", "local")


def test_an_account_nobody_registered_is_named_and_refused(platform: Platform) -> None:
    with pytest.raises(Unauthenticated, match="the account 54321 is no user of this platform") as refusal:
        authenticate.by_peer(platform.database, 54321, RECEIVER)
    assert "sudo" in refusal.value.hint
    with pytest.raises(Unauthenticated, match="the account nobody"):
        authenticate.by_peer(platform.database, pwd.getpwnam("nobody").pw_uid, "wherry")


def test_the_receiver_speaks_for_users_with_their_role(platform: Platform) -> None:
    uid = pwd.getpwnam(RECEIVER).pw_uid
    assert authenticate.by_peer(platform.database, uid, RECEIVER, "dora") == Actor("dora", "deploy", "ssh")
    with pytest.raises(Unauthenticated, match="no user 'eve'"):
        authenticate.by_peer(platform.database, uid, RECEIVER, "eve")


def test_nobody_else_speaks_for_others(platform: Platform) -> None:
    users.add(platform, ADMIN, "boss", "admin")
    with pytest.raises(Unauthenticated, match="may not speak for others"):
        authenticate.by_peer(platform.database, 12345, RECEIVER, "boss")
    with pytest.raises(Unauthenticated, match="may not speak for others"):
        authenticate.by_peer(platform.database, os.getuid() or 4242, "no-such-account", "boss")
