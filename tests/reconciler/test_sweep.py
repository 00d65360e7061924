"""What nobody owns is cleared; what someone may still need is not."""

import os
from pathlib import Path

from platform_support import machine
from wherry.reconciler.sweep import sweep


def test_an_archive_of_a_push_that_never_became_an_operation_goes_after_an_hour(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        spool = here.services.settings.spool
        for name in ("old.tar", "fresh.tar"):
            (spool / name).write_text("x")
        os.utime(spool / "old.tar", (1, 1))
        sweep(here.outside)
        assert [path.name for path in spool.iterdir()] == ["fresh.tar"]
