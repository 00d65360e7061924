"""The processes of a container, read from the kernel's process table: who they are, and how much CPU time they used."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MOST = 64
"""Processes looked at: an app that forked more is busy enough."""


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
