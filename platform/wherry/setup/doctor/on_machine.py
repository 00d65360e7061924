"""Is the machine well: Docker, disk, memory, clock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wherry import command
from wherry.errors import CommandFailed
from wherry.model.disk import FULL
from wherry.settings import Settings, source_root
from wherry.setup import engine_api, machine
from wherry.setup.doctor.finding import Finding, amount, fail, ok, warn

PI = "On a Raspberry Pi add cgroup_enable=memory cgroup_memory=1 to /boot/firmware/cmdline.txt, then reboot."
LITTLE_DISK, NO_DISK = 1_000_000_000, 200_000_000
SLOW_DRIVERS = ("vfs", "devicemapper", "aufs")


def docker() -> Iterator[Finding]:
    version, facts = engine_api.version(), engine_api.call("GET", "/info")
    driver = facts.get("Driver", "?")
    told = f"{version}, {driver}, cgroup v{facts.get('CgroupVersion', '1')}"
    yield ok("docker", f"{told}, {facts.get('ContainersRunning', 0)} containers run")
    if driver in SLOW_DRIVERS:
        fix = "Set storage-driver to overlay2 in /etc/docker/daemon.json."
        yield warn("docker", f"the storage driver {driver} is slow and wastes disk", fix)
    yield from _limits(facts)


def _limits(facts: dict[str, Any]) -> Iterator[Finding]:
    """What the kernel lets Docker enforce."""
    if not facts.get("MemoryLimit"):
        yield fail("limits", "the kernel does not limit memory: one app can take all of it", PI)
    elif not facts.get("SwapLimit"):
        yield warn("limits", "swap is not limited: an app over its memory swaps instead of being stopped", "Boot with swapaccount=1.")
    else:
        yield ok("limits", "memory and swap are limited")
    if not facts.get("PidsLimit", True):
        yield warn("limits", "the number of processes is not limited", "Use a kernel with CONFIG_CGROUP_PIDS.")


def disk(settings: Settings) -> Iterator[Finding]:
    """The state folder's disk, and Docker's when that is another one."""
    docker = _docker_folder()
    has_images = {settings.home: True}
    if docker and docker.stat().st_dev != settings.home.stat().st_dev:
        has_images = {settings.home: False, docker: True}
    for path in has_images:
        facts = os.statvfs(path)
        yield _room(path, facts, has_images[path])
        yield _inodes(str(path), facts)


def _docker_folder() -> Path | None:
    """Where Docker keeps what it has; None when that can not be seen: whether Docker answers is another check's question."""
    try:
        root = Path(engine_api.call("GET", "/info")["DockerRootDir"])
        return root if root.exists() else None
    except Exception:
        return None


def _room(path: Path, facts: os.statvfs_result, has_images: bool) -> Finding:
    free, size = facts.f_bavail * facts.f_frsize, facts.f_blocks * facts.f_frsize
    told = f"{amount(free, 0)} of {amount(size, 0)} free at {path}"
    if free < FULL:
        return fail("disk", f"{told}: no change can be kept", _by_hand(path, has_images))
    fix = _with_wherry() if has_images else f"Make room there, or take a larger disk. What is large: {_largest(path)}"
    if free < NO_DISK:
        return fail("disk", told, fix)
    return warn("disk", told, fix) if free < max(LITTLE_DISK, size / 20) else ok("disk", told)


def _with_wherry() -> str:
    return "See who takes it: wherry disk. Make room: destroy apps (wherry apps:destroy APP), docker image prune, or a larger disk."


def _by_hand(path: Path, has_images: bool) -> str:
    """The database takes no change any more, so no command of ours makes room."""
    prune = "docker image prune, or " if has_images else ""
    return f"Make room by hand, our commands need some themselves: {prune}remove what is large: {_largest(path)}"


def _largest(path: Path) -> str:
    """A command that shows what fills the disk which `path` is on."""
    top = next(folder for folder in (path, *path.parents) if folder.is_mount() or folder == folder.parent)
    return f"sudo du -xh -t 50M {top} | sort -h | tail"


def _inodes(name: str, facts: os.statvfs_result) -> Finding:
    if not facts.f_files:
        return ok("inodes", f"{name} has no limit")
    share = facts.f_favail / facts.f_files
    told = f"{share:.0%} free at {name}"
    fix = "Many small files fill the disk: look for them with du --inodes -x / | sort -n | tail"
    return fail("inodes", told, fix) if share < 0.01 else warn("inodes", told, fix) if share < 0.05 else ok("inodes", told)


def memory() -> Iterator[Finding]:
    facts = _meminfo()
    total, available, swap = (facts.get(name, 0) for name in ("MemTotal", "MemAvailable", "SwapTotal"))
    told = f"{available / 2**20:.0f} MB of {total / 2**20:.0f} MB free, {swap / 2**20:.0f} MB of swap"
    if available < total / 20:
        yield warn("memory", told, "See who takes it: wherry ps. Give less: wherry ps:type APP web=micro, or take a larger machine.")
    elif machine.is_small():
        yield warn("memory", told, "Without swap a build may not fit: sudo WHERRY_SWAP=1G scripts/up makes a swap file.")
    else:
        yield ok("memory", told)


def clock() -> Iterator[Finding]:
    """Certificates, tokens and logs rely on it. Code that was written in the future says that the clock is behind."""
    made = (source_root() / "platform" / "wherry" / "version.py").stat().st_mtime
    said = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    if time.time() < made - 86_400:
        yield fail("clock", f"it says {said} UTC, before this version was made", f"{SET_IT} {_keep_right()}")
    elif _says("NTPSynchronized") == "no":
        yield warn("clock", f"{said} UTC, and not kept right over the network", _keep_right())
    else:
        yield ok("clock", f"{said} UTC")


SET_IT = "Set it: sudo date -u -s 'YYYY-MM-DD HH:MM' (until then no certificate is valid, not even for packages)."


def _keep_right() -> str:
    """A minimal Debian has no program that asks the network for the time, and then set-ntp fails."""
    if not machine.has_systemd():
        return "Have it kept: sudo apt-get install -y chrony"
    way = "sudo apt-get install -y systemd-timesyncd" if _says("CanNTP") == "no" else "sudo timedatectl set-ntp true"
    return f"Have it kept: {way}"


def _says(what: str) -> str:
    """What systemd says of the clock; empty where nobody can tell."""
    if not machine.has_systemd():
        return ""
    try:
        return command.run(["timedatectl", "show", f"--property={what}", "--value"], timeout=10).out.decode("ascii", "replace").strip()
    except CommandFailed:
        return ""


def _meminfo() -> dict[str, int]:
    rows = (line.split() for line in Path("/proc/meminfo").read_text("ascii").splitlines())
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows if len(row) > 1}
