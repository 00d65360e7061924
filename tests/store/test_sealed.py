"""Secrets are sealed in the database, with a key outside of it: a copy of the file alone tells nothing."""

import os
import sqlite3
import stat
import threading
from contextlib import closing
from itertools import takewhile
from pathlib import Path

import pytest

from stored_platform import ADMIN, deployed, new_platform
from wherry.errors import Unavailable
from wherry.secret import Secret
from wherry.services import apps, builds, config_vars, drains, global_config
from wherry.services.platform import Platform
from wherry.store import aes, deploy_keys, key_change, operations
from wherry.store import drains as store_drains
from wherry.store.database import Database, migrations
from wherry.store.deploy_keys import DeployKey
from wherry.store.sealed import name_in

CANARY = "s3cret-canary-🛶"
DRAIN = "https://user:canary@93.184.215.14/canary"


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
    drains.add(platform, ADMIN, "shop", DRAIN)
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


def filled(platform: Platform) -> None:
    deployed(platform, config={"TOKEN": CANARY})
    global_config.change(platform, ADMIN, {"SHARED": CANARY})
    drains.add(platform, ADMIN, "shop", DRAIN)


def is_whole(platform: Platform) -> bool:
    """As somebody sees it who starts just now, with nothing remembered."""
    other = Database(platform.settings.database)
    try:
        with other.read() as connection:
            (drain,) = store_drains.every(connection)
            config = connection.execute("SELECT config FROM releases").fetchone()["config"]
            return drain.url.reveal() == DRAIN and CANARY in config
    finally:
        other.close()


def keys_in_use(platform: Platform) -> set[str]:
    with closing(sqlite3.connect(platform.settings.database)) as bare:
        return {
            name_in(row[0])
            for row in bare.execute("SELECT config FROM releases UNION SELECT url FROM drains UNION SELECT config FROM apps")
        }


def test_a_new_key_seals_everything_and_the_old_one_opens_nothing_more(platform: Platform) -> None:
    filled(platform)
    before, path = platform.database.key.name, platform.database.key.path
    old = path.read_text()
    assert key_change.change(platform.database, ADMIN, "now") >= 5
    assert is_whole(platform) and keys_in_use(platform) == {platform.database.key.name} != {before}
    assert len(path.read_text().splitlines()) == 1 and path.read_text() != old
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.write_text(old)
    with pytest.raises(Unavailable, match="sealed with another key"):
        is_whole(platform)


@pytest.mark.parametrize("reached", ["a new key", "rows sealed anew"])
def test_a_power_cut_while_the_key_is_changed_leaves_all_readable_and_the_next_change_finishes_it(platform: Platform, reached: str) -> None:
    filled(platform)
    assert platform.database.key.begin_change(os.getgid())
    new = platform.database.key.name
    if reached == "rows sealed anew":
        key_change.seal_anew(platform.database, ADMIN, "now")
    assert is_whole(platform)
    again = Database(platform.settings.database)
    assert again.key.is_changing
    key_change.change(again, ADMIN, "now")
    assert is_whole(platform) and keys_in_use(platform) == {new} and not again.key.is_changing


def test_who_works_meanwhile_neither_fails_nor_seals_with_the_old_key(platform: Platform) -> None:
    filled(platform)
    stop, failures = threading.Event(), []

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                global_config.change(platform, ADMIN, {"COUNT": str(number)})
                config_vars.of_app(platform, ADMIN, "shop")
            except Exception as error:
                failures.append(repr(error))
        platform.database.close()

    worker = threading.Thread(target=work)
    worker.start()
    other = Database(platform.settings.database)
    for _ in range(5):
        key_change.change(other, ADMIN, "now")
    stop.set()
    worker.join(60)
    assert not failures and is_whole(platform) and keys_in_use(platform) == {other.key.name}


def test_the_columns_that_are_sealed_anew_are_all_that_hold_something_sealed(platform: Platform) -> None:
    filled(platform)
    builds.change(platform, ADMIN, "shop", {"args": {"NPM_TOKEN": CANARY}})
    with platform.database.write() as connection:
        deploy_keys.add(connection, apps.get(platform, ADMIN, "shop"), DeployKey("public", Secret(CANARY), "now"))
        known = set(key_change.sealed_columns(connection))
        tables = [row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    with closing(sqlite3.connect(platform.settings.database)) as bare:
        bare.row_factory = sqlite3.Row
        rows = [(table, dict(row)) for table in tables for row in bare.execute(f'SELECT * FROM "{table}"')]
    found = {(table, name) for table, row in rows for name, value in row.items() if str(value).startswith("sealed:1:")}
    assert found and found <= known


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
