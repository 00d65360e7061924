"""Looks after one build while it runs: ends one that would take the machine with it, and names what it ran out of."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from wherry import clock, machine
from wherry.building.failure import refuse
from wherry.building.limits import MACHINE, Limits
from wherry.building.shortage import PATIENCE, Shortage
from wherry.errors import DeployFailed
from wherry.model import shares
from wherry.model.shares import MB
from wherry.settings import Settings

MEMORY, PROCESSES, DISK, NO_ROOM_LEFT = CODES = ("build_memory", "build_processes", "build_disk", "build_no_room")
SHORT = "the machine has too little memory"
"""Has the code of MEMORY: the build did not reach its own limit, the machine had less left."""
STUCK, REFUSED = 3.0, 1.0
"""Seconds at the limit of processes after which a build is one that only forks; the second where the kernel says that it wanted more.
It would go on until its time is over."""
NEARLY = 0.95
RECENT = 15.0
"""Seconds after the limit was reached in which a step that was killed is taken for the one that was ended for that."""
ADD_UP_EVERY = 1.0
KILLED = re.compile(r"\bkilled\b|exit code: 137|exited with 137|signal 9|signal: 9|SIGKILL", re.IGNORECASE)
NO_MEMORY = re.compile(r"heap out of memory|cannot allocate memory|MemoryError|bad_alloc|OutOfMemoryError|out of memory", re.IGNORECASE)
NO_FORK = re.compile(r"can(?:no|')t fork|fork: |can't start new thread|pthread_create|uv_thread_create", re.IGNORECASE)
TRY_AGAIN = re.compile(r"Resource temporarily unavailable|EAGAIN")
"""What a failed fork says in many programs, and other things say too."""
NO_ROOM = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded", re.IGNORECASE)


@dataclass(frozen=True)
class Disk:
    """Where images lie: a build may fill it by `most` bytes, and always leaves `reserve`."""

    path: Path
    most: int
    reserve: int


def disk_of(settings: Settings, root: Path) -> Disk:
    """`root` is the engine's folder, which this process sees unless it runs in a container."""
    path = root if root.is_dir() else settings.home
    room = machine.room(path)
    return Disk(path, settings.build_disk * MB, shares.disk_reserve(settings.disk_reserve, room.total if room else 0))


class Guard:
    """One build's. `look` about ten times a second; when it answers True, the build has to end, and `refusal` says why."""

    def __init__(self, limits: Limits, disk: Disk, now: Callable[[], float] = clock.monotonic) -> None:
        self._limits, self._disk, self._now = limits, disk, now
        self._before = limits.taken()
        self._shortage = Shortage(limits.memories)
        self._stuck_since: float | None = None
        self._most_pids, self._patience = 0, STUCK
        self._full_at = float("-inf")
        self._began, self._add_up_again = time.time() - 1.0, 0.0
        room = machine.room(disk.path)
        self._room = room.free if room else 0
        self._ended = ""

    def look(self) -> bool:
        self._count()
        if not self._ended:
            self._ended = self._too_much()
        return bool(self._ended)

    def refusal(self, lines: Iterable[str]) -> DeployFailed | None:
        """Why the guard ended the build, with the last `lines` of its step; None when it did not."""
        return self._refused(self._ended, tuple(lines)[-12:]) if self._ended else None

    def named(self, message: str, lines: Iterable[str]) -> DeployFailed | None:
        """What a build that failed by itself ran out of, by the builder's `message`, the step's last `lines` and the kernel's
        counts; None when it was nothing of that."""
        evidence = tuple(lines)[-12:]
        text = "\n".join((message, *evidence))
        what = self._lacked(text)
        return self._refused(what, evidence) if what else None

    def _count(self) -> None:
        taken = self._limits.taken()
        self._most_pids = max(self._most_pids, taken.pids)
        self._patience = REFUSED if taken.refused > self._before.refused else STUCK
        if taken.pids < self._limits.pids * NEARLY:
            self._stuck_since = None
            return
        self._full_at = self._now()
        if self._stuck_since is None:
            self._stuck_since = self._full_at

    def _too_much(self) -> str:
        if self._stuck_since is not None and self._now() - self._stuck_since > self._patience:
            self._stuck_since = None
            if not self._limits.kill_largest():  # the one that forks may be of a build beside this one
                return PROCESSES
        if short := self._shortage.see(self._now()):
            self._limits.kill()
            return SHORT if short == MACHINE else MEMORY
        room = machine.room(self._disk.path)
        if room and self._room - room.free > self._disk.most and self._wrote_too_much():
            return DISK
        return NO_ROOM_LEFT if room and room.free < self._disk.reserve else ""

    def _wrote_too_much(self) -> bool:
        """The disk filled; was it this build, or a neighbour? To add up what was written takes a while, so not at every look."""
        if self._now() < self._add_up_again:
            return False
        self._add_up_again = self._now() + ADD_UP_EVERY
        layers = self._disk.path / "overlay2"
        return not layers.is_dir() or _written_since(layers, self._began) > self._disk.most

    def _lacked(self, text: str) -> str:
        after, killed = self._limits.taken(), KILLED.search(text)
        if after.kills > self._before.kills or NO_MEMORY.search(text):
            return MEMORY
        if killed and self._now() - self._full_at < RECENT:
            return PROCESSES
        if killed and after.anywhere > self._before.anywhere:
            return MEMORY
        if NO_FORK.search(text) or (TRY_AGAIN.search(text) and self._most_pids >= self._limits.pids // 2):
            return PROCESSES
        return NO_ROOM_LEFT if NO_ROOM.search(text) else ""

    def _refused(self, what: str, evidence: tuple[str, ...]) -> DeployFailed:
        sentence, fix = {
            MEMORY: (
                f"the build ran out of memory: builds may take {self._limits.memory // MB} MB",
                "Let it do less at the same time, or raise WHERRY_BUILD_MEMORY.",
            ),
            PROCESSES: (
                f"the build started too many processes: builds may have {self._limits.pids}",
                "Does a script start itself? Else let it do less at the same time, or raise WHERRY_BUILD_PIDS.",
            ),
            DISK: (
                f"the build filled the disk by more than the {self._disk.most // MB} MB that one may",
                "Let it write less, or raise WHERRY_BUILD_DISK.",
            ),
            NO_ROOM_LEFT: ("the disk is too full for this build", "See who uses it: wherry disk"),
            SHORT: (
                f"the build ran out of memory: the machine has {machine.memory() // MB} MB, and for {PATIENCE:.0f} s most of its time went"
                " into reading programs again that did not fit",
                "Let it do less at the same time, stop an app, or add swap: sudo WHERRY_SWAP=1G scripts/up",
            ),
        }[what]
        code = MEMORY if what == SHORT else what
        return refuse(sentence, fix, code=code, evidence=evidence, source="the build" if evidence else "")


def _written_since(layers: Path, began: float) -> int:
    """Bytes on disk of the layers that were begun after `began` (Unix time), as the overlay2 driver keeps them."""
    total = 0
    for layer in layers.iterdir():
        with contextlib.suppress(OSError):
            if layer.stat().st_mtime >= began:
                total += machine.size(layer / "diff")
    return total
