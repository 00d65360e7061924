"""The schema and its promises, over real SQLite."""

import sqlite3
from pathlib import Path

import pytest

from wherry.model.build import Build
from wherry.store import apps, builds, operations, releases
from wherry.store.database import Database, migrations


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(tmp_path / "state" / "wherry.db")
    database.migrate()
    return database


def built(app_id: int) -> Build:
    return Build(0, app_id, "3f2c1ab", "77aa", "python", "sha256:aa", 84, {"web": "run"}, "2026-01-01T00:00:00.000000Z")


def test_a_second_migration_does_nothing(database: Database) -> None:
    assert database.migrate() == []


def test_a_release_can_not_be_edited(database: Database) -> None:
    with database.write() as connection:
        app = apps.create(connection, "shop", "admin", "t")
        releases.add(connection, app, builds.add(connection, built(app.id)), {}, "Deploy", "admin", "t")
    with pytest.raises(sqlite3.IntegrityError, match="never edited"), database.write() as connection:
        connection.execute("UPDATE releases SET description = 'else'")


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        apps.create(connection, "shop", "admin", "t")
        _ = 1 / 0
    with database.read() as connection:
        assert apps.find(connection, "shop") is None


def test_one_operation_per_app_runs_at_a_time(database: Database) -> None:
    with database.write() as connection:
        first = operations.add(connection, "shop", "scale", "admin", {}, "t")
        second = operations.add(connection, "shop", "scale", "admin", {}, "t")
        other = operations.add(connection, "blog", "scale", "admin", {}, "t")
        assert [found.id for found in operations.waiting(connection)] == [first.id, other.id]
        assert operations.claim(connection, first, "engine-1", "t")
        assert not operations.claim(connection, first, "engine-2", "t")
        assert [found.id for found in operations.waiting(connection)] == [other.id]
    with pytest.raises(sqlite3.IntegrityError), database.write() as connection:
        operations.claim(connection, second, "engine-1", "t")


def test_an_operation_whose_owner_died_is_found_and_requeued(database: Database) -> None:
    with database.write() as connection:
        operation = operations.add(connection, "shop", "deploy", "admin", {"commit": "a"}, "t")
        operations.claim(connection, operation, "engine-1", "t")
        operations.progress(connection, operation, image="sha256:aa")
        assert operations.orphans(connection, "engine-1") == []
        (orphan,) = operations.orphans(connection, "engine-2")
        operations.requeue(connection, orphan)
        assert operations.get(connection, operation.id).progress == {"image": "sha256:aa"}
        assert operations.waiting(connection)[0].id == operation.id


def test_every_migration_has_a_number_of_its_own_and_none_is_left_out() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))
