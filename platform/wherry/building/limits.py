"""What builds may take of the machine together, and how they are held to it: by a cgroup around all steps of all builds.

BuildKit takes no memory, processor or process limit with a build, and over the engine's HTTP API no cgroup either (seen on 20.10 and
26.1), so the cgroups that it makes are capped from outside while it works. Under the cgroupfs driver all steps lie below `docker/buildkit`.
Under systemd's each step has one of its own, found by its name; it is capped, and its processes are moved into a cgroup of ours, so
that the steps of all builds share one limit and the kernel counts in one place what it had to end.

With a tree for each controller, that of the processor has a cgroup of ours too: `docker` as a whole has the weight of one process, so
that inside of it a build has as much as the proxy has.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wherry import clock, machine
from wherry.building.brake import Brake
from wherry.building.flow import Flow
from wherry.building.groups import Groups
from wherry.building.held import Held, text
from wherry.building.idleness import Idleness
from wherry.machine import Memory
from wherry.model import shares
from wherry.settings import Settings

CGROUPS, PROCESSES = Path("/sys/fs/cgroup"), Path("/proc")
SHARED = "docker/buildkit"
STEPS = ("system.slice/system.slice:docker:*", "system.slice/docker:buildkit:*")
CPU_SHARES, CPU_WEIGHT = 64, 6
"""A running app has 1024, or 100 under cgroup v2: when both want the processor, a build gets a sixteenth of what one app gets."""
IO_WEIGHT = 10
MOST_MOVED = 32
MOST_READ = 64
"""Of so many processes at most it is seen what each writes: more start and end too fast for that."""
PERIOD, SHORT_PERIOD, LEAST_QUOTA = 100_000, 10_000, 1_000
"""Microseconds over which processor time is counted, the short one where there is little, so that it is used in small portions; and the
least that the kernel counts."""
BREATH = 0.001
"""Seconds between two halves of a look, each half a millisecond to one of processor: who wakes up meanwhile need not wait for both."""
MACHINE = "the machine"
NOBODY = 2**22 + 1
"""No process has this number. The kernel shows 0 for one that this process can not see, and to end 0 would end ourselves."""
CONTROLLERS = ("memory", "cpu", "pids", "io")
OF_V1 = ("memory", "cpu", "pids", "blkio")


@dataclass(frozen=True)
class Taken:
    """`kills` counts programs that the kernel ended for want of memory: in builds alone where it says so, else `anywhere`.
    `pids` is how many processes and threads builds have now, `refused` how many they wanted beyond that, in the cgroups that are still
    there."""

    kills: int = 0
    anywhere: int = 0
    pids: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Limits:
    """`memory` is bytes, `cpu` processors (0: all of them), `name` that of our cgroup."""

    memory: int
    cpu: float = 0.0
    pids: int = 512
    name: str = "wherry-builds"
    root: Path = CGROUPS
    idleness: Idleness = field(default_factory=Idleness, compare=False)
    brake: Brake = field(default_factory=Brake, compare=False)
    flow: Flow = field(default_factory=Flow, compare=False)
    held: Held = field(default_factory=Held, compare=False)
    processes: Path = PROCESSES
    _groups: Groups = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_groups", Groups(self.root))

    def prepare(self) -> None:
        """Before a build: makes the cgroup for the steps of systemd's driver. Where this process may not, steps stay where they are."""
        if self._one_tree:
            for controller in CONTROLLERS:  # those below have it only when it is said here
                self.held.hold(self.root / "cgroup.subtree_control", f"+{controller}")
        with contextlib.suppress(OSError):
            self._own.mkdir(exist_ok=True)
        self.apply()

    def forget(self) -> None:
        """Removes our own cgroup, once no build runs in it any more."""
        for top in (self.root, *(self.root / name for name in OF_V1)):
            with contextlib.suppress(OSError):
                (top / self.name).rmdir()

    def apply(self) -> int:
        """Caps the cgroups of builds that are there now; returns how many files hold what they should. Called again and again
        while a build runs, for steps come and go. Where this process may not write, the answer is 0."""
        wishes = self._processor() + self._quota(self._slowed()) + (self._of_v2() if self._one_tree else self._of_v1())
        clock.sleep(BREATH)
        written = self._hold(wishes)
        self._gather()
        return written

    def rest(self) -> None:
        """After a build: what held it back does not stay for those of others, who use the same builder without us. A build of ours
        that still runs is held back again at its next look."""
        self._hold(self._quota(0.0))

    def _gather(self) -> None:
        """A step's later processes are born where its first one is. So many that they were not caught at first are what a step has
        that only forks: the kernel holds up all others while it moves one, and these stay until the guard ends them."""
        own = self._own / "cgroup.procs"
        steps = STEPS if self._one_tree else (SHARED, f"{SHARED}/*", *STEPS)
        for path in self._files("cpu/cgroup.procs", steps) if own.exists() else ():
            pids = text(path).split()
            for pid in pids if len(pids) <= MOST_MOVED else ():
                with contextlib.suppress(OSError):  # it has ended
                    own.write_text(pid, "ascii")

    def taken(self) -> Taken:
        """Zeros where the kernel does not say."""
        kills = sum(_field(path, "oom_kill") for path in self._files("memory/memory.events", (self.name,)))
        # Kernels before 6.11 count where the process is, later ones where the limit is.
        refused = sum(_field(path, "max") for path in self._files("pids/pids.events", (self.name, SHARED, f"{SHARED}/*", *STEPS)))
        return Taken(kills, machine.oom_kills(), self._pids(), refused)

    def kill(self) -> None:
        """Ends every process of every build at once, without the engine: when memory is short, that is as slow as all others."""
        for path in self._files("pids/**/cgroup.procs"):
            _kill(path)

    def kill_largest(self) -> bool:
        """Ends the step that has most of the processes of all builds; False where no step can be told from the others. The first process
        of a step takes along those that it starts meanwhile."""
        steps = {path.parent: int(text(path) or 0) for path in self._files("pids/pids.current", (f"{SHARED}/*", *STEPS))}
        largest = max(steps, key=lambda step: steps[step], default=None)
        if largest is None or steps[largest] <= self._pids() / 2:
            return False
        _kill(largest / "cgroup.procs")
        return True

    def memories(self) -> dict[str, Memory]:
        """What the machine and each cgroup of builds have of memory, by their names; MACHINE is that of the machine."""
        groups = {path.parent.name: machine.memory_of(path.parent) for path in self._files("memory/cgroup.procs")}
        return {MACHINE: machine.memory_now(), **{name: found for name, found in groups.items() if found}}

    @property
    def _own(self) -> Path:
        return (self.root if self._one_tree else self.root / "cpu") / self.name

    def _processor(self) -> list[tuple[str, str]]:
        """The class first: while it holds, the kernel knows no weight and refuses one, and afterwards the weight is the usual one
        again. Kernels before 5.15 have the weight alone."""
        idle = str(int(self.idleness.see(self._used())))
        weight = ("cpu/cpu.weight", str(CPU_WEIGHT)) if self._one_tree else ("cpu/cpu.shares", str(CPU_SHARES))
        return [("cpu/cpu.idle", idle), weight]

    def _used(self) -> float:
        """Seconds of processor time that builds have had; fewer than before where a step has ended."""
        if self._one_tree:
            return sum(_field(path, "usage_usec") for path in self._files("cpu/cpu.stat")) / 1e6
        return sum(int(text(path) or 0) for path in self._files("cpuacct/cpuacct.usage")) / 1e9

    @property
    def _one_tree(self) -> bool:
        return self._groups.one_tree

    def _hold(self, wishes: list[tuple[str, str]]) -> int:
        return sum(self.held.hold(path, value) for name, value in wishes for path in self._files(name))

    def _slowed(self) -> float:
        """Processors, 0 where nothing has to be held back. What each of hundreds of processes writes is not asked while they are braked: to
        ask takes longer than all else of a look."""
        return self.brake.see(self._pids(), self.pids) or self.flow.see(self._written())

    def _quota(self, slowed: float) -> list[tuple[str, str]]:
        """The period first: the kernel takes no quota that is less than it counts. No quota is no limit."""
        cpu, period = self.cpu, PERIOD
        if slowed and not 0 < cpu < slowed:
            cpu, period = slowed, max(SHORT_PERIOD, round(LEAST_QUOTA / slowed))
        quota = round(cpu * period)
        if self._one_tree:
            return [("cpu/cpu.max", f"{quota or 'max'} {period}")]
        return [("cpu/cpu.cfs_period_us", str(period)), ("cpu/cpu.cfs_quota_us", str(quota or -1))]

    def _pids(self) -> int:
        return sum(int(text(path) or 0) for path in self._files("pids/pids.current"))

    def _written(self) -> dict[int, int]:
        """Bytes that each process of a build wrote, as far as this process sees them."""
        pids = [pid for path in self._files("pids/**/cgroup.procs") for pid in map(int, text(path).split())]
        return {pid: _field(f"{self.processes}/{pid}/io", "write_bytes:") for pid in pids[:MOST_READ]}

    def _of_v1(self) -> list[tuple[str, str]]:
        """Memory twice: it may not rise above the sum with swap, nor that fall below it."""
        memory = ("memory/memory.limit_in_bytes", str(self.memory))
        return [
            memory,
            ("memory/memory.memsw.limit_in_bytes", str(self.memory * 2)),
            memory,
            ("pids/pids.max", str(self.pids)),
            ("blkio/blkio.weight", str(IO_WEIGHT)),
            ("blkio/blkio.bfq.weight", str(IO_WEIGHT)),
        ]

    def _of_v2(self) -> list[tuple[str, str]]:
        return [
            ("memory/memory.max", str(self.memory)),
            ("memory/memory.swap.max", str(self.memory)),
            ("pids/pids.max", str(self.pids)),
            ("io/io.weight", f"default {IO_WEIGHT}"),
            ("io/io.bfq.weight", f"default {IO_WEIGHT}"),
        ]

    def _files(self, name: str, groups: tuple[str, ...] = ()) -> Iterator[Path]:
        """The places of `controller/file` in every cgroup that builds run in."""
        return self._groups.files(name, groups or (self.name, SHARED, *STEPS))


def limits_of(settings: Settings) -> Limits:
    """What the settings say, or what suits the machine."""
    memory = shares.build_memory(settings.build_memory, machine.memory())
    pids = shares.build_pids(settings.build_pids, machine.processors())
    return Limits(memory, settings.build_cpu, pids, f"{settings.name}-builds")


def _kill(procs: Path) -> None:
    for pid in map(int, text(procs).split()):
        with contextlib.suppress(OSError):  # it has ended
            os.kill(pid or NOBODY, signal.SIGKILL)


def _field(path: Path | str, name: str) -> int:
    match = re.search(rf"^{name} (\d+)$", text(path), re.MULTILINE)
    return int(match[1]) if match else 0
