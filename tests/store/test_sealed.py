"""Secrets are sealed in the database, with a key outside of it: a copy of the file alone tells nothing."""

import os
import sqlite3
import stat
from itertools import takewhile
from pathlib import Path

import pytest

from stored_platform import ADMIN, deployed, new_platform
from wherry.errors import Unavailable
from wherry.secret import Secret
from wherry.services import apps, builds, config_vars, global_config
from wherry.services.platform import Platform
from wherry.store import aes, deploy_keys, operations
from wherry.store.database import Database, migrations
from wherry.store.deploy_keys import DeployKey

CANARY = "s3cret-canary-🛶"


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return new_platform(tmp_path)


def everything(platform: Platform) -> bytes:
    """All that a thief of the state folder has."""
    platform.database.close()
    return b"".join(path.read_bytes() for path in platform.settings.database.parent.iterdir())


def test_no_secret_is_clear_in_the_state_folder(platform: Platform) -> None:
    deployed(platform, config={"TOKEN": CANARY})
    config_vars.change(platform, ADMIN, "shop", {"TOKEN": f"{CANARY}2"})
    global_config.change(platform, ADMIN, {"SHARED": CANARY})
    builds.change(platform, ADMIN, "shop", {"args": {"NPM_TOKEN": CANARY}})
    with platform.database.write() as connection:
        deploy_keys.add(connection, apps.get(platform, ADMIN, "shop"), DeployKey("public", Secret(CANARY), "now"))
    assert b"canary" not in everything(platform)
    assert config_vars.of_app(platform, ADMIN, "shop") == {"SHARED": CANARY, "TOKEN": CANARY}
    with platform.database.read() as connection:
        assert operations.recent(connection)[1].payload == {"changes": {"TOKEN": f"{CANARY}2"}}


def test_the_key_is_for_root_and_the_groups_eyes_only(platform: Platform) -> None:
    assert stat.S_IMODE(platform.database.key.path.stat().st_mode) == 0o640
    assert platform.database.key.path.parent == platform.settings.home


def test_without_its_key_a_database_says_what_is_missing_and_no_new_one_is_made(platform: Platform) -> None:
    deployed(platform, config={"TOKEN": CANARY})
    path = platform.database.key.path
    path.rename(path.with_suffix(".away"))
    assert config_vars.of_app(platform, ADMIN, "shop") == {"TOKEN": CANARY}, "what runs remembers it"
    other = Database(platform.settings.database)
    with pytest.raises(Unavailable, match=r"the key of the database, /.*/secret\.key, is gone") as lost:
        other.migrate()
    assert lost.value.code == "key_lost" and "--forget-secrets" in lost.value.hint
    assert not path.exists()


def test_another_key_is_told_from_damage(platform: Platform) -> None:
    deployed(platform, config={"TOKEN": CANARY})
    path = platform.database.key.path
    mine = path.read_text()
    path.write_text("0" * 64)
    os.utime(path, (1, 1))
    with pytest.raises(Unavailable, match="sealed with another key"):
        apps.get(platform, ADMIN, "shop")
    path.write_text(mine)
    os.utime(path, (2, 2))
    with platform.database.write() as connection:
        connection.execute("UPDATE apps SET config = substr(config, 1, length(config) - 8) || 'AAAAAAAA'")
    with pytest.raises(Unavailable, match="a secret in the database was damaged"):
        apps.get(platform, ADMIN, "shop")
    path.write_text("no key")
    with pytest.raises(Unavailable, match="holds no key"):
        apps.get(platform, ADMIN, "shop")


def test_who_lost_the_key_can_go_on_with_empty_config(platform: Platform) -> None:
    deployed(platform, config={"TOKEN": CANARY})
    platform.database.key.path.unlink()
    other = Database(platform.settings.database)
    other.forget_secrets()
    assert other.migrate() == []
    assert config_vars.of_app(platform, ADMIN, "shop") == {}
    assert config_vars.change(platform, ADMIN, "shop", {"TOKEN": "again"}) is not None


def test_what_was_clear_is_sealed_by_the_migration_and_lingers_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "state" / "wherry.db"
    path.parent.mkdir()
    before = list(takewhile(lambda known: not known[1].stem.endswith("_seal"), migrations()))
    old = sqlite3.connect(path)
    for number, file in before:
        old.executescript(f"{file.read_text('utf-8')}; PRAGMA user_version = {number};")
    clear = f'{{"TOKEN":"{CANARY}"}}'
    old.execute("INSERT INTO apps (name, created_at, created_by, config) VALUES ('shop', 't', 'a', ?)", (clear,))
    old.execute("INSERT INTO operations (app, kind, actor, payload, created_at) VALUES ('shop', 'config', 'a', ?, 't')", (clear,))
    old.commit()
    old.close()
    (path.parent / "wherry.before-2.db").write_bytes(CANARY.encode())
    made = Database(path)
    assert migrations()[len(before)][1].stem in made.migrate()
    with made.read() as connection:
        assert connection.execute("SELECT config FROM apps").fetchone()["config"] == clear
    made.close()
    assert b"canary" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_what_merely_looks_sealed_in_a_column_of_anybodys_is_left_as_it_is(platform: Platform) -> None:
    app, sealed = apps.create(platform, ADMIN, "shop"), platform.database.key.seal("x")
    with platform.database.write() as connection:
        connection.execute("INSERT INTO fronts (app_id, page) VALUES (?, ?)", (app.id, sealed))
        assert connection.execute("SELECT page FROM fronts").fetchone()["page"] == sealed


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100_000])
def test_what_is_sealed_opens_with_the_same_key_alone(size: int) -> None:
    key, text = os.urandom(32), os.urandom(size)
    sealed = aes.seal(key, text)
    assert aes.unseal(key, sealed) == text and len(sealed) == size + 28
    for other, changed in ((os.urandom(32), sealed), (key, sealed[:-1] + bytes([sealed[-1] ^ 1])), (key, sealed[:-1]), (key, b"")):
        with pytest.raises(aes.Broken):
            aes.unseal(other, changed)


def test_it_is_the_aes_gcm_that_others_know() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, sealed = bytes(32), aes.seal(bytes(32), b"hello", b"for you")
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], b"for you") == b"hello"
