"""What this machine has and has left, as the kernel says it: memory, processors, room on a disk."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

MEMINFO, VMSTAT, PRESSURE = Path("/proc/meminfo"), Path("/proc/vmstat"), Path("/proc/pressure/memory")
CGROUPS = Path("/sys/fs/cgroup")
CHUNK = 64 * 1024
UNLIMITED = 2**60
"""A cgroup of the first version that has no limit shows a larger number than this."""


@dataclass(frozen=True)
class Room:
    """A file system: its `total` bytes, the bytes `free` to others than root, and its free inodes in percent (100 where the
    file system knows none)."""

    total: int
    free: int
    inodes: float


@dataclass(frozen=True)
class Memory:
    """Memory of the machine or of one cgroup: `total` bytes, the bytes `free` to a program without pushing out what others use
    (swap apart), and how many pages had to be read again, since it began, soon after they were pushed out. `waited` is for how many
    seconds somebody on the machine waited for memory; None where the kernel does not tell."""

    total: int
    free: int
    refaults: int
    waited: float | None = None


def text_of(path: Path | str) -> str:
    """What a file of the kernel's says. Builds are looked at ten times a second by dozens of these, and to open one as other files are
    opened takes three times as long as to read it. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = b""
        while data := os.read(descriptor, CHUNK):
            found += data
    finally:
        os.close(descriptor)
    return found.decode("ascii")


def memory(meminfo: Path = MEMINFO, cgroups: Path = CGROUPS) -> int:
    """Bytes of memory: what is built in, or a lower limit set from outside, as on a container that poses as a machine."""
    return memory_now(meminfo, cgroups).total


def swap(meminfo: Path = MEMINFO) -> int:
    """Bytes."""
    return _kilobytes(meminfo, "SwapTotal") * 1024


def memory_free(meminfo: Path = MEMINFO, cgroups: Path = CGROUPS) -> int:
    """Bytes that a new program could take without pushing others out: what is available, and free swap."""
    return memory_now(meminfo, cgroups).free + _kilobytes(meminfo, "SwapFree") * 1024


def memory_now(meminfo: Path = MEMINFO, cgroups: Path = CGROUPS) -> Memory:
    """Of the machine."""
    total, free = (_kilobytes(meminfo, name) * 1024 for name in ("MemTotal", "MemAvailable"))
    limits = [memory_of(folder) for folder in (cgroups, cgroups / "memory")]
    built_in = Memory(total, free, _sum(VMSTAT, "workingset_refault"), _waited())
    return min([*(limit for limit in limits if limit), built_in], key=lambda one: one.total)


def memory_of(cgroup: Path) -> Memory | None:
    """Of a cgroup, in either version's words; None where it has no limit or is not there. What files take of it can be had back."""
    limits = (_number(cgroup / name) for name in ("memory.max", "memory.limit_in_bytes"))
    total = next((limit for limit in limits if 0 < limit < UNLIMITED), 0)
    if not total:
        return None
    used = _number(cgroup / "memory.current") or _number(cgroup / "memory.usage_in_bytes")
    files = _sum(cgroup / "memory.stat", r"(?:in)?active_file", below=True)
    return Memory(total, max(0, total - used + files), _sum(cgroup / "memory.stat", "workingset_refault", below=True), _waited())


def oom_kills(vmstat: Path = VMSTAT) -> int:
    """How many programs the kernel has ended for want of memory since it started, in any cgroup."""
    match = re.search(r"^oom_kill (\d+)$", text_of(vmstat), re.MULTILINE)
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


def _sum(path: Path, names: str, *, below: bool = False) -> int:
    """The sum of the counts in `path` whose names begin with the pattern `names`. `below`: the first version of cgroups counts
    what is below a group under another name."""
    with contextlib.suppress(OSError):
        text = text_of(path)
        whole = [r"total_"] if below and "\ntotal_" in text else []
        found = re.findall(rf"^{''.join(whole)}{names}\w* (\d+)$", text, re.MULTILINE)
        return sum(map(int, found))
    return 0


def _waited() -> float | None:
    with contextlib.suppress(OSError):
        match = re.search(r"^some .*\btotal=(\d+)$", text_of(PRESSURE), re.MULTILINE)
        return int(match[1]) / 1e6 if match else None
    return None


def _number(path: Path) -> int:
    """0 for what is not there or not a number, as `max`."""
    with contextlib.suppress(OSError, ValueError):
        return int(text_of(path))
    return 0


def _kilobytes(meminfo: Path, name: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB", text_of(meminfo), re.MULTILINE)
    return int(match[1]) if match else 0
