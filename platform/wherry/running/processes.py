"""The processes of a container, read from the kernel's process table: who they are, and how much CPU time they used."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from wherry import clock

TICKS = os.sysconf("SC_CLK_TCK")
MOST = 64
"""Processes looked at: an app that forked more is busy enough."""
LISTENS_WITHIN = 1.0
"""Seconds that a container's first process may take to listen for signals."""


def cpu_seconds(pid: int, proc: Path = Path("/proc")) -> float | None:
    """Seconds of CPU time of `pid` and its descendants; None when it is gone or the table is hidden from us."""
    total, waiting, seen = 0, [pid], 0
    while waiting and seen < MOST:
        ticks = _ticks(proc / str(waiting[0]))
        if ticks is None and waiting[0] == pid:
            return None
        total += ticks or 0
        waiting = [*waiting[1:], *_children(proc / str(waiting[0]))]
        seen += 1
    return total / TICKS


def descendants(pid: int, proc: Path = Path("/proc")) -> list[int]:
    """The children of `pid`, their children and so on, as far as the table shows them; at most MOST."""
    found: list[int] = []
    waiting = _children(proc / str(pid))
    while waiting and len(found) < MOST:
        found.append(waiting[0])
        waiting = [*waiting[1:], *_children(proc / str(waiting[0]))]
    return found


def until_it_listens(pid: int, proc: Path = Path("/proc")) -> None:
    """Waits until SIGTERM would not be lost on a container's first process: until that says that it takes a signal, the kernel throws it
    away. Waits for nobody whom the table does not show."""
    end = clock.monotonic() + LISTENS_WITHIN
    while pid and not _listens(proc / str(pid)) and clock.monotonic() < end:
        clock.sleep(0.005)


def _listens(folder: Path) -> bool:
    """It has a handler for SIGTERM, or blocks it to fetch it by itself, as Docker's init does before it starts the program; while it waits
    to fetch one, the table shows nothing blocked. Masks of proc(5)."""
    try:
        masks = re.findall(r"^Sig(?:Blk|Cgt):\s*([0-9a-f]+)$", (folder / "status").read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:
        return True
    return any(int(mask, 16) >> (signal.SIGTERM - 1) & 1 for mask in masks) or bool(_children(folder))


def _ticks(folder: Path) -> int | None:
    """utime + stime, fields 14 and 15 of proc(5); the name before them may hold spaces and brackets."""
    try:
        fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[11]) + int(fields[12])


def _children(folder: Path) -> list[int]:
    try:
        return [int(word) for task in (folder / "task").iterdir() for word in (task / "children").read_text("ascii").split()]
    except OSError:
        return []
