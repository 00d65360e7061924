"""What one instance of a process type may use: a size by name, or memory, CPU and processes one by one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wherry.errors import InvalidInput
from wherry.model.process import RELEASE, TYPE_FORM, runnable
from wherry.model.run import TYPE as ONE_OFF

USUAL_SHARE, USUAL_PIDS = 1024, 512
LEAST_MEMORY, LEAST_CPU, LEAST_PIDS, MOST_PIDS = 32, 0.05, 16, 32_768
KEYS = ("size", "memory", "cpu", "pids")
DEFAULT = "default"
"""What a person says instead of a size or a value to have the platform's own."""


@dataclass(frozen=True)
class Limits:
    """`memory` is MB, swap included. `share` is the weight for the CPU while others want it too (Docker's usual is 1024);
    `cpu` a cap in cores, None for none. `pids` counts processes and threads."""

    memory: int
    share: int = USUAL_SHARE
    cpu: float | None = None
    pids: int = USUAL_PIDS


SIZES = {
    "nano": Limits(64, 256, pids=128),
    "micro": Limits(128, 512, pids=256),
    "small": Limits(256, 1024, pids=512),
    "medium": Limits(512, 2048, pids=1024),
    "large": Limits(1024, 4096, pids=2048),
    "xlarge": Limits(2048, 8192, pids=4096),
}
"""The sizes that have names, the smallest first."""

Wish = dict[str, Any]
"""What was wished for one process type: `size`, and over it `memory` (MB), `cpu` (cores), `pids`. Empty: the platform's default."""


@dataclass(frozen=True)
class Room:
    """What the machine could give one instance at most: MB of memory, cores."""

    memory: int
    cpu: int


def limits_of(wish: Mapping[str, Any], default_memory: int) -> Limits:
    """The limits that a wish comes to; `default_memory` is WHERRY_INSTANCE_MEMORY."""
    base = SIZES.get(wish.get("size", ""), Limits(default_memory))
    return Limits(wish.get("memory", base.memory), base.share, wish.get("cpu", base.cpu), wish.get("pids", base.pids))


def wish_of(limits: Mapping[str, Wish], sizes: Mapping[str, str], process_type: str) -> Wish:
    """What a person wished for a process type, else the size that the app's source asks for, else nothing."""
    size = sizes.get(process_type)
    return limits.get(process_type) or ({"size": size} if size else {})


def one_off_type(command: Sequence[str], processes: Mapping[str, str]) -> str:
    """Whose limits a one-off has: those of the process type whose name it is given, else those of `run`."""
    return command[0] if len(command) == 1 and command[0] in processes else ONE_OFF


def more(process_type: str, memory: int) -> str:
    """What gives a process type more than `memory` MB: the next size that has a name, else twice as much."""
    size = next((name for name, found in SIZES.items() if found.memory > memory), None)
    return f"{process_type}={size}" if size else f"{process_type}.memory={2 * memory}m"


def told(before: Mapping[str, Wish], after: Mapping[str, Wish], default_memory: int) -> str:
    """A change in few words: `web 256 MB -> medium (512 MB)`."""
    names = [name for name in {**before, **after} if before.get(name, {}) != after.get(name, {})]
    was, now = ({name: words(wishes.get(name, {}), default_memory) for name in names} for wishes in (before, after))
    return ", ".join(f"{name} {was[name]} -> {now[name]}" for name in names)


def words(wish: Mapping[str, Any], default_memory: int) -> str:
    """For a person: `small (256 MB)`, `300 MB, 0.5 CPU, 200 pids`."""
    found = limits_of(wish, default_memory)
    size = wish.get("size", "")
    parts = [f"{size} ({found.memory} MB)" if size and "memory" not in wish else f"{found.memory} MB"]
    parts += [f"{found.cpu:g} CPU"] if found.cpu is not None else []
    parts += [f"{found.pids} pids"] if "pids" in wish else []
    return ", ".join(parts)


def changed(wishes: Mapping[str, Wish], changes: Mapping[str, Wish]) -> dict[str, Wish]:
    """`wishes` per process type with `changes` applied. A size sets aside the values that stood before; DEFAULT or None
    gives a size or a value back to the platform."""
    after = {name: dict(wish) for name, wish in wishes.items()}
    for name, change in changes.items():
        wish = {} if "size" in change else after.get(name, {})
        wish = {**wish, **change}
        after[name] = {key: value for key, value in wish.items() if value not in (None, DEFAULT)}
    return {name: wish for name, wish in after.items() if wish}


def check_changes(changes: Mapping[str, Mapping[str, Any]], room: Room) -> dict[str, Wish]:
    """The changes with their values read: memory as MB. Raises InvalidInput with what, where, the allowed form, an example."""
    if not changes:
        raise InvalidInput("nothing to change: give TYPE=SIZE or TYPE.memory=SIZE, e.g. web=medium or web.memory=300m", field="limits")
    return {name: _checked(name, change, room) for name, change in changes.items()}


def check_limited(names: Mapping[str, Any], processes: Mapping[str, str]) -> None:
    """Raises InvalidInput for a process type that the release does not have. `run` stands for one-offs."""
    known = [*runnable(dict(processes)), *([RELEASE] if RELEASE in processes else []), ONE_OFF]
    for name in names:
        if name not in known:
            raise InvalidInput(f'no process "{_shown(name)}"; this release has: {", ".join(known)}', field="limits")


def check_size(name: str) -> str:
    """Raises InvalidInput with the names that there are."""
    if name not in SIZES and name != DEFAULT:
        raise InvalidInput(f'no size "{_shown(name)}": give one of {", ".join(SIZES)}, or default (see: wherry sizes)', field="size")
    return name


def check_memory(value: object, room: Room) -> int:
    """MB of `300m`, `2g`, or of a number of bytes. Raises InvalidInput."""
    match = re.fullmatch(r"([0-9]{1,7})([mg])b?", value.lower()) if isinstance(value, str) else None
    megabytes = int(match[1]) * (1024 if match[2] == "g" else 1) if match else value // 2**20 if type(value) is int else -1
    if not LEAST_MEMORY <= megabytes <= room.memory:
        raise InvalidInput(
            f'memory "{_shown(value)}": give a number with m or g, {LEAST_MEMORY}m-{room.memory}m on this host, e.g. 512m', field="memory"
        )
    return megabytes


def check_cpu(value: object, room: Room) -> float:
    """Cores, e.g. 0.5. Raises InvalidInput."""
    text = f"{value:g}" if type(value) in (int, float) else str(value)
    cores = float(text) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) else math.nan
    if not LEAST_CPU <= cores <= room.cpu:
        raise InvalidInput(f'cpu "{_shown(value)}": give cores from {LEAST_CPU:g} to {room.cpu} on this host, e.g. 0.5', field="cpu")
    return cores


def check_pids(value: object) -> int:
    """Raises InvalidInput."""
    text = str(value) if type(value) in (int, str) else ""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not LEAST_PIDS <= int(text) <= MOST_PIDS:
        raise InvalidInput(f'pids "{_shown(value)}": give a whole number from {LEAST_PIDS} to {MOST_PIDS}, e.g. 200', field="pids")
    return int(text)


def _checked(name: str, change: Mapping[str, Any], room: Room) -> Wish:
    if not re.fullmatch(TYPE_FORM, name):
        raise InvalidInput(f'process "{_shown(name)}": give a process type, e.g. web=medium', field="limits")
    return {key: _value(name, key, value, room) for key, value in change.items()}


def _value(name: str, key: str, value: Any, room: Room) -> Any:
    if key not in KEYS:
        raise InvalidInput(f"{name}.{_shown(key)}: give one of {', '.join(KEYS[1:])}, e.g. {name}.memory=300m", field="limits")
    if value is None or value == DEFAULT:
        return None
    if key == "size":
        return check_size(str(value))
    return check_pids(value) if key == "pids" else check_memory(value, room) if key == "memory" else check_cpu(value, room)


def _shown(value: object) -> str:
    return ascii(str(value)[:40])[1:-1]
