"""What suits a machine of a given size, where the settings leave it open: a setting of 0 is for us to decide."""

from __future__ import annotations

MB = 1024**2
GB = 1024**3
LEAST_BUILD_MEMORY = 256 * MB
"""What an installer of packages needs."""
LITTLE_BUILD_MEMORY, PROGRAM = 400 * MB, 96 * MB
"""Below the one, installers are told to be thrifty; the other is what a large one takes beside its objects."""
PAGE = 4096


def build_memory(chosen: int, memory: int) -> int:
    """Bytes that all builds may take together. `chosen` is MB, here and below; `memory` is the machine's, in bytes."""
    return chosen * MB or max(memory // 2 // PAGE * PAGE, LEAST_BUILD_MEMORY)


def little_heap(build_memory: int, swap: int) -> int:
    """MB that one program of a build may fill with its objects where builds have little memory; 0 where they have enough. `swap` is
    the machine's. In steps, for a build's steps are made anew when this changes."""
    if build_memory >= LITTLE_BUILD_MEMORY:
        return 0
    room = build_memory + min(swap, build_memory) - PROGRAM
    return max(room // (32 * MB) * 32, 64)


def build_pids(chosen: int, processors: int) -> int:
    """Processes and threads that all builds may have together: compilers start some for each processor."""
    return chosen or 256 + 128 * processors


def build_needs(chosen: int, memory: int) -> int:
    """Bytes of memory that must be free before a build starts."""
    return chosen * MB or min(memory // 8, 512 * MB)


def builds(chosen: int, memory: int, processors: int) -> int:
    """How many builds run at the same time."""
    return chosen or max(1, min(processors // 2, memory // (4 * GB)))


def disk_reserve(chosen: int, disk: int) -> int:
    """Bytes of a disk of `disk` bytes that stay free for databases and logs."""
    return chosen * MB or min(max(disk // 20, 256 * MB), 2048 * MB)


def disk_budget(chosen: int, disk: int) -> int:
    """Bytes that images of apps and archives may take together."""
    return chosen * MB or disk // 2


def log_rate(chosen: int, processors: int) -> int:
    """Lines a second that an instance may print. Each costs Docker and us together some 20 microseconds, but they come in bursts, and what
    visitors of other apps notice is how many bursts a second there are to wait behind: half as many lines, half as many waits."""
    return chosen or 1_250 * processors
