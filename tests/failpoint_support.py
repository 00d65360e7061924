"""Switches failpoints of a running platform: all at once, each strikes once, when it is set."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenario_support import Site
from waiting import until
from wherry.failpoint import STAGES


class Failpoints:
    """Those of one platform. A stage that is not `set` does nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def set(self, *stages: str) -> None:
        """These strike the next time that they are reached; all others do not."""
        for stage in STAGES:
            (self.folder / stage).unlink(missing_ok=True) if stage in stages else (self.folder / stage).touch()

    def struck(self) -> set[str]:
        """The stages that were reached."""
        return {path.name for path in self.folder.iterdir()}


@contextmanager
def armed(site: Site, action: str) -> Iterator[Failpoints]:
    """Every failpoint of the platform does `action`, when it is set. The platform is reloaded before and after."""
    folder = site.home / "run" / "failpoints"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o1777)
    points = Failpoints(folder)
    points.set()
    try:
        with configured(site, f"WHERRY_FAILPOINTS=*={action}"):
            yield points
    finally:
        shutil.rmtree(folder)


@contextmanager
def configured(site: Site, *settings: str) -> Iterator[None]:
    """The platform with these settings; it is reloaded before and after."""
    file = site.home / "settings.env"
    before = file.read_text()
    file.write_text("".join([before, *(f"{line}\n" for line in settings)]))
    reload(site)
    try:
        yield
    finally:
        file.write_text(before)
        reload(site)


def reload(site: Site) -> None:
    """The same processes anew, as an upgrade starts them; returns when they answer."""
    engine = site.pid("engine")
    os.kill(site.pid("supervisor"), signal.SIGUSR2)
    until(lambda: running(site, "engine", engine), what="a new engine")
    until(lambda: running(site, "receiver", 0) and site.wherry("apps").status == 0, what="the API")
    until(lambda: site.ssh("apps").status == 0, what="the receiver")


def running(site: Site, part: str, other_than: int) -> bool:
    """Whether that part runs, with another process id, and has done its first work."""
    return site.runs_anew(part, other_than) and (site.home / "run" / "engine.ready").exists()
