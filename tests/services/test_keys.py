"""SSH keys: whose, how named, how removed."""

import pytest

from stored_platform import ADMIN, DEPLOYER, READER, event_types, public_key
from wherry.errors import Conflict, Forbidden, InvalidInput, NotFound
from wherry.model.user import Actor
from wherry.services import keys, users
from wherry.services.platform import Platform


@pytest.fixture(autouse=True)
def people(platform: Platform) -> None:
    for name, role in (("alice", "admin"), ("dora", "deploy"), ("rita", "read")):
        users.add(platform, ADMIN, name, role)


def test_a_key_is_named_by_its_comment_and_found_by_fingerprint(platform: Platform) -> None:
    key = keys.add(platform, DEPLOYER, public_key())
    assert (key.name, key.user, key.type) == ("me@laptop", "dora", "ssh-ed25519")
    assert keys.get(platform, DEPLOYER, key.fingerprint) == key
    assert event_types(platform)[-1] == "key.added"


def test_a_key_without_a_comment_needs_a_name(platform: Platform) -> None:
    with pytest.raises(InvalidInput, match="no comment that could name it"):
        keys.add(platform, DEPLOYER, public_key(comment=""))
    assert keys.add(platform, DEPLOYER, public_key(comment=""), "laptop").name == "laptop"


@pytest.mark.parametrize("name", ["a b", "-x", "../x", "a/b", "x\n", "é", "x" * 65])
def test_a_name_that_fits_no_list_is_refused(platform: Platform, name: str) -> None:
    with pytest.raises(InvalidInput, match="key name"):
        keys.add(platform, DEPLOYER, public_key(), name)
    assert keys.every(platform, ADMIN) == []


def test_the_same_key_or_name_twice_is_refused(platform: Platform) -> None:
    keys.add(platform, DEPLOYER, public_key(), "laptop")
    with pytest.raises(Conflict, match="this key is registered already"):
        keys.add(platform, ADMIN, public_key(), "other")
    with pytest.raises(Conflict, match='a key named "laptop"'):
        keys.add(platform, ADMIN, public_key("B"), "laptop")


def test_people_manage_their_own_keys_and_an_admin_everybodys(platform: Platform) -> None:
    own = keys.add(platform, DEPLOYER, public_key(), "laptop")
    other = keys.add(platform, ADMIN, public_key("B"), "desk")
    keys.add(platform, ADMIN, public_key("C"), "ritas", user="rita")
    assert keys.every(platform, DEPLOYER) == [own]
    assert len(keys.every(platform, ADMIN)) == 3
    with pytest.raises(NotFound):
        keys.remove(platform, DEPLOYER, other.name)
    with pytest.raises(Forbidden, match="may not act for rita"):
        keys.add(platform, DEPLOYER, public_key("D"), "x", user="rita")
    keys.remove(platform, ADMIN, own.name)
    assert keys.every(platform, DEPLOYER) == []
    assert event_types(platform)[-1] == "key.removed"


def test_a_reader_adds_no_keys(platform: Platform) -> None:
    with pytest.raises(Forbidden, match="may not add keys"):
        keys.add(platform, READER, public_key())


def test_root_on_the_machine_is_a_user_from_the_first_key_on(platform: Platform) -> None:
    assert keys.add(platform, Actor("root", "admin", "local"), public_key()).user == "root"
    assert users.get(platform, ADMIN, "root").role == "admin"


def test_a_private_key_is_refused(platform: Platform) -> None:
    with pytest.raises(InvalidInput, match="private key"):
        keys.add(platform, DEPLOYER, "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----", "x")
