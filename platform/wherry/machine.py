"""What this machine has and has left, as the kernel says it: memory, processors, room on a disk."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True)
class Room:
    """A file system: its `total` bytes, the bytes `free` to others than root, and its free inodes in percent (100 where the
    file system knows none)."""

    total: int
    free: int
    inodes: float


def memory(meminfo: Path = MEMINFO) -> int:
    """Bytes of memory."""
    return _kilobytes(meminfo, "MemTotal") * 1024


def memory_free(meminfo: Path = MEMINFO) -> int:
    """Bytes that a new program could take without pushing others out: what is available, and free swap."""
    return (_kilobytes(meminfo, "MemAvailable") + _kilobytes(meminfo, "SwapFree")) * 1024


def oom_kills(vmstat: Path = Path("/proc/vmstat")) -> int:
    """How many programs the kernel has ended for want of memory since it started, in any cgroup."""
    match = re.search(r"^oom_kill (\d+)$", vmstat.read_text("ascii"), re.MULTILINE)
    return int(match[1]) if match else 0


def processors() -> int:
    return len(os.sched_getaffinity(0))


def room(path: Path) -> Room | None:
    """None where there is no such folder, as when it is another machine's or a container's host's."""
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    inodes = 100.0 * found.f_favail / found.f_files if found.f_files else 100.0
    return Room(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize, inodes)


def size(folder: Path) -> int:
    """Bytes that a folder and all below it take on the disk. What vanishes meanwhile does not count."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in [*names, "."]:
            with contextlib.suppress(OSError):
                total += Path(parent, name).lstat().st_blocks * 512
    return total


def _kilobytes(meminfo: Path, name: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB", meminfo.read_text("ascii"), re.MULTILINE)
    return int(match[1]) if match else 0
