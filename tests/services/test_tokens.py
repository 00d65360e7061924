"""Tokens: shown once, stored hashed, never more than their owner may."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, event_types
from wherry.access import token_text
from wherry.errors import Conflict, Forbidden, InvalidInput, NotFound
from wherry.services import tokens, users
from wherry.services.platform import Platform


@pytest.fixture(autouse=True)
def people(platform: Platform) -> None:
    for name, role in (("alice", "admin"), ("dora", "deploy"), ("rita", "read")):
        users.add(platform, ADMIN, name, role)


def test_the_secret_is_in_no_file_of_the_database(platform: Platform) -> None:
    token, secret = tokens.create(platform, DEPLOYER, "ci")
    assert token_text.is_whole(secret.reveal())
    assert str(secret) == "Secret(***)"
    stored = b"".join(path.read_bytes() for path in platform.settings.database.parent.iterdir())
    assert secret.reveal().encode() not in stored
    assert token.prefix.encode() in stored
    assert event_types(platform)[-1] == "token.created"


def test_a_token_may_as_much_as_its_owner_unless_less_is_wished(platform: Platform) -> None:
    assert tokens.create(platform, DEPLOYER, "all")[0].role == "deploy"
    assert tokens.create(platform, DEPLOYER, "look", "read")[0].role == "read"
    assert tokens.create(platform, ADMIN, "hers", user="dora")[0].role == "deploy"


@pytest.mark.parametrize("user", ["dora", "rita"])
def test_a_token_never_may_more_than_its_owner(platform: Platform, user: str) -> None:
    with pytest.raises(Forbidden, match="at most, not admin"):
        tokens.create(platform, ADMIN, "big", "admin", user)


def test_a_token_never_may_more_than_who_makes_it(platform: Platform) -> None:
    with pytest.raises(Forbidden, match="deploy at most"):
        tokens.create(platform, DEPLOYER, "big", "admin")
    with pytest.raises(Forbidden, match="may not act for alice"):
        tokens.create(platform, DEPLOYER, "big", "read", "alice")
    with pytest.raises(Forbidden, match="may not make tokens"):
        tokens.create(platform, READER, "mine")


@pytest.mark.parametrize(
    ("name", "role", "days", "says"), [("a b", "read", 1, "token name"), ("ci", "boss", 1, "give one of"), ("ci", "read", 0, "days=0")]
)
def test_a_bad_name_role_or_time_is_refused(platform: Platform, name: str, role: str, days: int, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        tokens.create(platform, ADMIN, name, role, days=days)
    assert tokens.every(platform, ADMIN) == []


def test_a_name_is_free_once_per_user(platform: Platform) -> None:
    tokens.create(platform, DEPLOYER, "ci")
    tokens.create(platform, ADMIN, "ci")
    with pytest.raises(Conflict, match='a token named "ci" exists already'):
        tokens.create(platform, DEPLOYER, "ci")


def test_revoking_finds_ones_own_first_and_others_by_prefix(platform: Platform) -> None:
    theirs, _ = tokens.create(platform, DEPLOYER, "ci")
    own, _ = tokens.create(platform, ADMIN, "ci")
    assert tokens.revoke(platform, ADMIN, "ci") == own
    assert tokens.revoke(platform, ADMIN, theirs.prefix) == theirs
    assert event_types(platform)[-1] == "token.revoked"


def test_a_name_that_two_others_use_is_ambiguous(platform: Platform) -> None:
    tokens.create(platform, DEPLOYER, "ci")
    tokens.create(platform, ADMIN, "ci", user="rita")
    with pytest.raises(Conflict, match="2 tokens are named 'ci'"):
        tokens.revoke(platform, ADMIN, "ci")


def test_the_tokens_of_others_are_not_there(platform: Platform) -> None:
    theirs, _ = tokens.create(platform, ADMIN, "ci")
    assert tokens.every(platform, DEPLOYER) == []
    with pytest.raises(NotFound):
        tokens.revoke(platform, DEPLOYER, theirs.prefix)
