"""Who uses the disk: bytes by app and by what they are for, as the engine measured them; and when there is too little left."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wherry.errors import Unavailable
from wherry.model.shares import MB

FULL = 16_000_000
"""Bytes: with less free, a disk takes no change any more, and no command of ours makes room on it."""
LEAST_INODES = 2.0
"""Percent of a disk's inodes that stay free."""
Layers = Sequence[tuple[str, int]]
"""The layers of an image from the ground up: a key that is equal only where all below is equal too, and bytes."""


@dataclass(frozen=True)
class AppUsage:
    """Bytes. `own` is what would come free with the app's images, `shared` what other images hold as well."""

    images: int = 0
    own: int = 0
    shared: int = 0
    volumes: int = 0
    logs: int = 0
    repository: int = 0

    @property
    def sum(self) -> int:
        """What would come free with the app."""
        return self.own + self.volumes + self.logs + self.repository


@dataclass(frozen=True)
class Usage:
    """`images` is what the images of all apps hold together, each layer once, and `budget` what they may. `root` is the engine's
    folder; `free` and `total` are of its disk, of which `reserve` stays free. `cache` is the engine's build cache, whoever filled it."""

    root: str
    total: int
    free: int
    inodes: float
    reserve: int
    budget: int
    images: int
    base_images: int
    cache: int
    spool: int
    platform: int
    apps: dict[str, AppUsage] = field(default_factory=dict)


def shares_of(images: Mapping[str, Layers], app_of: Mapping[str, str]) -> dict[str, AppUsage]:
    """How many bytes each app holds alone and with others. `images` has every image by its id; `app_of` says whose it is, and has no
    entry for base images, with which much is shared."""
    holders: dict[str, set[str]] = {}
    sizes: dict[str, int] = {}
    for image, layers in images.items():
        for key, size in layers:
            holders.setdefault(key, set()).add(app_of.get(image, ""))
            sizes[key] = size
    found = {}
    for app in set(app_of.values()):
        mine = [key for key, names in holders.items() if app in names]
        own = sum(sizes[key] for key in mine if holders[key] == {app})
        count = sum(1 for name in app_of.values() if name == app)
        found[app] = AppUsage(images=count, own=own, shared=sum(sizes[key] for key in mine) - own)
    return found


def together(images: Mapping[str, Layers]) -> int:
    """Bytes of these images, each layer once."""
    return sum({key: size for layers in images.values() for key, size in layers}.values())


def refuse_when_full(what: str, needed: int, free: int, inodes: float, reserve: int) -> None:
    """Raises Unavailable with the number of MB that are missing. All but `inodes`, which are percent, are bytes."""
    hint = "wherry disk shows who uses what; apps:destroy, a smaller WHERRY_RELEASES or a larger disk make room."
    missing = needed + reserve - free
    if missing > 0:
        words = f"{what} needs {_mb(needed)} MB and {_mb(reserve)} MB stay free, {_mb(free)} MB are: {_mb(missing)} MB are missing"
        raise Unavailable(f"the disk is too full: {words}", code="disk_low", hint=hint)
    if inodes < LEAST_INODES:
        raise Unavailable(f"the disk is too full for {what}: {inodes:.1f} % of its inodes are left", code="disk_low", hint=hint)


def full(where: str, free: int) -> Unavailable:
    """What to tell a person whose change found no room on the state folder's disk, `free` bytes of it left. Nobody but root on the
    machine can help, so they are sent there."""
    return Unavailable(
        f"the disk is full: {free / 1e6:.0f} MB are free at {where}, so no change can be kept",
        hint="Make room by hand, on the machine; what is large there, and more: sudo wherry doctor",
        code="disk_full",
    )


def trouble_of(error: BaseException) -> Unavailable | None:
    """What to tell a person of an error that the disk is to blame for; None of any other."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable("the disk is full", hint="Make room (df -h, df -i), then try again.", code="disk_full")
    if number in (errno.EIO, errno.EROFS):
        return Unavailable("the disk reports errors", hint="See what the kernel says of it: dmesg. Then try again.", code="disk_broken")
    return None


def _mb(count: int) -> int:
    return -(-count // MB)
