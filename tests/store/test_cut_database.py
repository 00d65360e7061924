"""The power goes in the middle of a write: a database file with its journal cut anywhere opens as it was after some transaction."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

from stored_platform import deployed, new_platform

CUTS = 200


def test_a_journal_cut_at_two_hundred_moments_always_opens_whole(tmp_path: Path) -> None:
    """A release, its outcome and the app's wish are one transaction each: no cut shows a half of one."""
    home = tmp_path / "home"
    made = new_platform(home)
    for _ in range(12):
        deployed(made)
    state = home / "state"
    journal = (state / "wherry.db-wal").read_bytes()
    assert len(journal) > 50_000
    dice, seen = random.Random(20261125), set()
    for number in range(CUTS):
        cut = tmp_path / "cut" / str(number)
        shutil.copytree(state, cut)
        kept = dice.randrange(len(journal))
        (cut / "wherry.db-wal").write_bytes(journal[:kept] + dice.randbytes(dice.choice((0, 0, 100))))
        (cut / "wherry.db-shm").unlink(missing_ok=True)
        seen.add(releases_in(cut / "wherry.db"))
        shutil.rmtree(cut)
    assert len(seen) > 8, "the cuts are spread over the transactions"


def releases_in(path: Path) -> int | None:
    """How many releases the file has, all of them whole; None before there is any table."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'releases'").fetchone():
            return None
        (count,) = connection.execute("SELECT count(*) FROM releases").fetchone()
        (outcomes,) = connection.execute("SELECT count(*) FROM release_outcomes").fetchone()
        row = connection.execute("SELECT release FROM apps WHERE name = 'shop'").fetchone()
        assert count == outcomes
        assert row is None or (row[0] or 0) == count
        return int(count)
    finally:
        connection.close()
