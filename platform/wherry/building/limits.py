"""Keeps builds from starving running apps: caps the cgroup in which BuildKit runs its steps.

BuildKit ignores the `memory`, `cpushares`, `ulimits` and (before Docker 25) `cgroupparent` of a build request, so the
cgroup itself is capped, where this process may write to it: all builds of the engine share one parent under cgroup v1 and
under the cgroupfs driver of v2; under systemd's driver each step has its own, found by its name.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PARENTS = ("docker/buildkit", "system.slice/system.slice:docker:*", "system.slice/docker:buildkit:*")
LEAST_MEMORY = 256 * 1024 * 1024
CPU_SHARES = 128
"""A running app has 1024: when both want the processor, a build gets an eighth of what one app gets."""
CPU_WEIGHT = 12
PIDS = 1024


@dataclass(frozen=True)
class Limits:
    """`memory` is bytes."""

    memory: int
    root: Path = CGROUPS

    def apply(self) -> int:
        """Caps the cgroups of builds that are there now; returns how many were capped. Called while a build runs, for
        steps come and go. Where this process may not write, nothing happens and the answer is 0."""
        one_tree = (self.root / "cgroup.controllers").exists()
        wishes = self._of_v2() if one_tree else self._of_v1()
        return sum(self._write(path, value) for pattern, value in wishes for path in self.root.glob(pattern))

    def _of_v1(self) -> list[tuple[str, int]]:
        files = (("memory/{}/memory.limit_in_bytes", self.memory), ("cpu*/{}/cpu.shares", CPU_SHARES), ("pids/{}/pids.max", PIDS))
        return [(form.format(PARENTS[0]), value) for form, value in files]

    def _of_v2(self) -> list[tuple[str, int]]:
        files = (("memory.max", self.memory), ("cpu.weight", CPU_WEIGHT), ("pids.max", PIDS))
        return [(f"{parent}/{name}", value) for parent in PARENTS for name, value in files]

    def _write(self, path: Path, value: int) -> int:
        with contextlib.suppress(OSError):
            if path.read_text().strip() != str(value):
                path.write_text(str(value))
            return 1
        return 0


def half_of_memory(meminfo: Path = Path("/proc/meminfo")) -> int:
    """What builds may take together, in bytes: half of the machine, and never less than an installer needs."""
    match = re.search(r"^MemTotal:\s+(\d+) kB", meminfo.read_text("ascii"), re.MULTILINE)
    total = int(match[1]) * 1024 if match else 0
    return max(total // 2 // 4096 * 4096, LEAST_MEMORY)
