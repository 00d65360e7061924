"""How much of the processor one container may take just now, written straight into its cgroup: at once, without asking the engine.

Docker's own update of a container starts a program for each change, which costs more than the change saves. Both versions of
cgroups, and both drivers that Docker has for them.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PLACES = ("docker/{}", "*.slice/docker-{}.scope", "*/docker/{}")
"""Where Docker puts a container: by itself, by systemd, and by itself on a machine that is a container too."""
LEAST_QUOTA, SHORTEST, LONGEST = 1_000, 10_000, 1_000_000
"""Microseconds: the least time that the kernel counts, and the shortest and longest span in which it may be used. A short one is
used up in small portions, between which others have their turn."""
QUOTA, PERIOD, BOTH = "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.max"
NONE = ("max", "-1")


@dataclass(frozen=True)
class ProcessorCap:
    """Of one container. Where its cgroup is not to be found or written, nothing happens and the answers say so."""

    container: str
    root: Path = CGROUPS

    def now(self) -> str:
        """`quota period` in microseconds, as `put_back` takes it; empty where nobody knows."""
        folder = self._folder()
        if folder is None:
            return ""
        with contextlib.suppress(OSError):
            names = (BOTH,) if (folder / BOTH).exists() else (QUOTA, PERIOD)
            return " ".join((folder / name).read_text("ascii").strip() for name in names)
        return ""

    def set(self, cores: float) -> bool:
        """Caps it at so many cores, which may be few thousandths of one."""
        period = min(LONGEST, max(SHORTEST, round(LEAST_QUOTA / cores)))
        return self.put_back(f"{max(LEAST_QUOTA, round(cores * period))} {period}")

    def put_back(self, before: str) -> bool:
        folder = self._folder()
        quota, _, period = before.partition(" ")
        if folder is None or not period:
            return False
        try:
            if (folder / BOTH).exists():
                (folder / BOTH).write_text(before, "ascii")
            else:
                (folder / PERIOD).write_text(period, "ascii")
                (folder / QUOTA).write_text(quota, "ascii")
        except OSError:
            return False
        return True

    def _folder(self) -> Path | None:
        top = self.root if (self.root / "cgroup.controllers").exists() else self.root / "cpu"
        for place in PLACES:
            if found := next(iter(top.glob(place.format(self.container))), None):
                return found
        return None


def cores(cap: str) -> float:
    """What a text of `ProcessorCap.now` allows; infinity for no cap."""
    quota, _, period = cap.partition(" ")
    return float("inf") if quota in NONE or not period else int(quota) / int(period)
