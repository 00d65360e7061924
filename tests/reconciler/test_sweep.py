"""What nobody owns is cleared; what someone may still need is not."""

import os
from pathlib import Path

from platform_support import machine
from wherry.model.user import PLATFORM
from wherry.reconciler.sweep import EVENTS_AT_LEAST, sweep
from wherry.store import events


def test_an_archive_of_a_push_that_never_became_an_operation_goes_after_an_hour(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        spool = here.services.settings.spool
        for name in ("old.tar", "fresh.tar"):
            (spool / name).write_text("x")
        os.utime(spool / "old.tar", (1, 1))
        sweep(here.outside)
        assert [path.name for path in spool.iterdir()] == ["fresh.tar"]


def test_a_file_that_goes_while_the_spool_is_cleared_disturbs_nothing(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        spool = here.services.settings.spool
        (spool / "gone.tar").symlink_to(spool / "nowhere")
        (spool / "old.tar").write_text("x")
        os.utime(spool / "old.tar", (1, 1))
        sweep(here.outside)
        assert not (spool / "old.tar").exists()


def test_events_of_long_ago_go_once_there_are_many_and_the_newest_stay(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        with here.outside.database.write() as connection:
            for number in range(EVENTS_AT_LEAST + 3):
                events.add(connection, PLATFORM, "app.created", f"a{number}", "2020-01-01T00:00:00.000000Z")
        sweep(here.outside)
        with here.outside.database.read() as connection:
            assert events.since(connection, 0)[0].app == "a3"
