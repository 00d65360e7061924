"""Users, and how the first admin comes to be."""

import pytest

from stored_platform import ADMIN, DEPLOYER, event_types, public_key
from wherry.errors import Conflict, Forbidden, InvalidInput, NotFound
from wherry.services import keys, tokens, users
from wherry.services.platform import Platform


def test_a_user_is_added_listed_and_removed_with_events(platform: Platform) -> None:
    users.add(platform, ADMIN, "dora", "deploy", 1001)
    assert users.get(platform, ADMIN, "dora").local_uid == 1001
    assert [user.name for user in users.every(platform, ADMIN)] == ["dora"]
    users.remove(platform, ADMIN, "dora")
    assert users.every(platform, ADMIN) == []
    assert event_types(platform) == ["user.created", "user.removed"]


def test_only_an_admin_sees_or_changes_users(platform: Platform) -> None:
    for verb in (
        lambda: users.every(platform, DEPLOYER),
        lambda: users.add(platform, DEPLOYER, "x"),
        lambda: users.remove(platform, DEPLOYER, "x"),
    ):
        with pytest.raises(Forbidden, match="needs the role admin"):
            verb()


def test_a_bad_name_or_role_or_a_taken_name_is_refused(platform: Platform) -> None:
    users.add(platform, ADMIN, "dora")
    with pytest.raises(Conflict, match='user "dora" exists already'):
        users.add(platform, ADMIN, "dora")
    with pytest.raises(InvalidInput, match="user name"):
        users.add(platform, ADMIN, "Dora!")
    with pytest.raises(InvalidInput, match="give one of read, deploy, admin"):
        users.add(platform, ADMIN, "eve", "root")


def test_the_last_admin_stays(platform: Platform) -> None:
    users.ensure_admin(platform, "alice", 1000)
    with pytest.raises(Conflict, match="alice is the last admin"):
        users.remove(platform, ADMIN, "alice")
    users.add(platform, ADMIN, "bob", "admin")
    users.remove(platform, ADMIN, "alice")
    with pytest.raises(NotFound, match="no user 'alice'"):
        users.get(platform, ADMIN, "alice")


def test_a_removed_user_takes_keys_and_tokens_along(platform: Platform) -> None:
    users.add(platform, ADMIN, "dora")
    keys.add(platform, ADMIN, public_key(), user="dora")
    tokens.create(platform, ADMIN, "ci", user="dora")
    users.remove(platform, ADMIN, "dora")
    assert keys.every(platform, ADMIN) == []
    assert tokens.every(platform, ADMIN) == []


def test_set_up_may_register_the_first_admin_again_and_again(platform: Platform) -> None:
    first = users.ensure_admin(platform, "alice", 1000)
    assert (first.role, first.local_uid) == ("admin", 1000)
    assert users.ensure_admin(platform, "alice", 1000) == first
    assert event_types(platform) == ["user.registered"]


def test_an_account_speaks_for_one_user_only(platform: Platform) -> None:
    users.ensure_admin(platform, "alice", 1000)
    assert users.ensure_admin(platform, "bob", 1000).local_uid == 1000
    assert users.get(platform, ADMIN, "alice").local_uid is None
