"""Gives back the memory of program code that only the start needed: an idle process keeps what it uses.

Loading a library touches pages of its file that are never looked at again; the kernel would take them back under
pressure, page by page. We say at once that they are not needed: they stay in the page cache and come back on touch.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from wherry import clock

FIRST, EVERY = 5.0, 20.0
"""Seconds after the start, then between two times."""
MADV_DONTNEED = 4
HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)")


def keep_thrifty() -> None:
    """Starts a thread that lets go of idle code pages now and then, for as long as the process lives."""
    threading.Thread(target=_run, name="thrift", daemon=True).start()


def let_go(smaps: str) -> int:
    """Lets go of every clean mapping of a file that `smaps` (proc(5)) lists; returns how many kilobytes were resident.

    Only mappings that hold no page of their own: a library's relocated pages are read-only too, and would be lost.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    freed = 0
    for start, end, resident in clean_mappings(smaps):
        if libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED) == 0:
            freed += resident
    return freed


def clean_mappings(smaps: str) -> Iterator[tuple[int, int, int]]:
    """(start, end, resident kB) of the private, unwritable, unmodified mappings of files."""
    for block in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", smaps):
        head = HEAD.match(block)
        if not head or head[3] not in ("r-xp", "r--p") or head[4] == "0":
            continue
        facts = dict(re.findall(r"(?m)^(\w+):\s+(\d+) kB", block))
        if facts.get("Private_Dirty") == facts.get("Shared_Dirty") == facts.get("Anonymous") == facts.get("Swap") == "0":
            yield int(head[1], 16), int(head[2], 16), int(facts["Rss"])


class Thrift:
    """Knows when it is time again."""

    def __init__(self) -> None:
        self._due = clock.monotonic() + FIRST

    def when_due(self) -> None:
        """Lets go of this process's idle code pages, if it is time."""
        if clock.monotonic() >= self._due:
            self._due = clock.monotonic() + EVERY
            let_go(Path("/proc/self/smaps").read_text("utf-8", "replace"))


def _run() -> None:
    thrift = Thrift()
    while True:
        clock.sleep(FIRST)
        thrift.when_due()
