"""What the machine is: its system, memory, disk, address; and whether that is enough."""

from __future__ import annotations

import ipaddress
import os
import platform
import shutil
import socket
import stat
from pathlib import Path

from wherry import command
from wherry import machine as here
from wherry.errors import Conflict, InvalidInput, Unavailable

LEAST_DISK = 1_500_000_000
SMALL_MEMORY = 1_000_000_000
DOCUMENTATION = ("192.0.2.1", 9)
"""An address that nobody has (RFC 5737): asking for the way to it sends nothing."""


def check_root(command: str) -> None:
    """Raises Conflict for everybody else, with the way."""
    if os.geteuid() != 0:
        raise Conflict("this needs root", hint=f"Run: sudo {command}", code="not_root")


def check(home: Path) -> str:
    """Raises when Wherry can not work here; returns a sentence otherwise."""
    check_root("scripts/up")
    if not shutil.which("apt-get", path=command.CLEAN_ENVIRONMENT["PATH"]):
        raise Unavailable("there is no apt-get", hint="Use Debian 12 or newer, or docker compose up (docs/install.md).", code="no_apt")
    if platform.machine() not in ("x86_64", "aarch64"):
        raise Unavailable(f"{platform.machine()} is not supported: Wherry needs a 64-bit PC or ARM system", code="wrong_machine")
    if closed := closed_above(home):
        raise Conflict(
            f"{closed} is closed to other accounts, and the platform's own must get through it to {home}",
            hint=f"Open the way (chmod a+x {closed}), or set WHERRY_HOME to a folder that everyone may pass, e.g. /var/lib/wherry.",
            code="home_closed",
        )
    free = disk_free(home)
    if free < LEAST_DISK:
        raise Unavailable(
            f"{free / 1e9:.1f} GB free at {home}; 1.5 GB are needed",
            hint="Free some room, or set WHERRY_HOME to a folder on a larger disk.",
            code="disk_full",
        )
    return ""


def closed_above(home: Path) -> Path | None:
    """The outermost folder on the way to `home` that the service accounts could not pass."""
    return next((folder for folder in reversed(home.parents) if folder.exists() and not folder.stat().st_mode & stat.S_IXOTH), None)


def describe() -> str:
    """`Debian 12, amd64, 512 MB of memory`."""
    facts = _os_release()
    system = f"{facts.get('NAME', 'Linux').removesuffix(' GNU/Linux')} {facts.get('VERSION_ID', '')}".strip()
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{system}, {architecture}, {memory() / 2**20:.0f} MB of memory"


def memory() -> int:
    """Bytes of memory that this machine may use: what is built in, or a lower limit set from outside."""
    return here.memory()


def swap() -> int:
    return _meminfo("SwapTotal")


def is_small() -> bool:
    return memory() < SMALL_MEMORY and not swap()


def disk_free(path: Path) -> int:
    """Bytes free where `path` is or will be."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    return shutil.disk_usage(there).free


def has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def lacks_memory_limits() -> bool:
    """True when the kernel can not limit a container's memory, as on a Raspberry Pi before its command line is changed."""
    unified = Path("/sys/fs/cgroup/cgroup.controllers")
    if unified.exists():
        return "memory" not in unified.read_text().split()
    return not Path("/sys/fs/cgroup/memory").is_dir()


def public_address() -> str:
    """The machine's own public IPv4 address, or nothing when it has none on an interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(DOCUMENTATION)
        except OSError:
            return ""
        address = str(probe.getsockname()[0])
    return address if ipaddress.ip_address(address).is_global else ""


def default_domain() -> str:
    """`203-0-113-7.sslip.io` resolves to 203.0.113.7, and so does every name below it."""
    address = public_address()
    return f"{address.replace('.', '-')}.sslip.io" if address else "localhost"


def make_swap(size: str, path: Path) -> str:
    """Makes a swap file of `size` (`1G`, `512M`) that survives a reboot. Does nothing when there is swap."""
    units = {"M": 2**20, "G": 2**30}
    if not size[:-1].isdecimal() or size[-1:] not in units or not 2**26 <= int(size[:-1]) * units[size[-1]] <= 2**35:
        raise InvalidInput(f"WHERRY_SWAP={size!a}: give a size from 64M to 32G, e.g. 1G", field="WHERRY_SWAP")
    if swap() or path.exists():
        return ""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.posix_fallocate(descriptor, 0, int(size[:-1]) * units[size[-1]])
    os.close(descriptor)
    command.run(["mkswap", str(path)])
    command.run(["swapon", str(path)])
    with Path("/etc/fstab").open("a") as table:
        table.write(f"{path} none swap sw 0 0\n")
    return f"swap: {size} in {path}"


def drop_swap(path: Path) -> None:
    """Takes the swap file of `make_swap` away again."""
    if not path.exists():
        return
    command.run(["swapoff", str(path)], check=False, timeout=600)
    path.unlink()
    table = Path("/etc/fstab")
    table.write_text("".join(line for line in table.read_text().splitlines(True) if not line.startswith(f"{path} ")))


def _os_release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text().splitlines() if Path("/etc/os-release").exists() else []
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


def _meminfo(name: str) -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)
