"""What the figures were measured on, in words that let another person judge them."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

import docker_socket

MODEL, MEMORY, SYSTEM = r"model name\s*:\s*(.+)", r"MemTotal:\s*([0-9]+)", r'PRETTY_NAME="(.+)"'


def describe() -> dict[str, str]:
    """Facts by their name: processor, memory, system, and the versions of what takes part."""
    return {
        "processor": f"{_first('/proc/cpuinfo', MODEL) or platform.machine()}, {os.cpu_count()} cores",
        "memory": f"{int(_first('/proc/meminfo', MEMORY) or 0) / 1024:,.0f} MB",
        "system": f"{_first('/etc/os-release', SYSTEM)}, Linux {platform.release()}",
        "Docker": str(docker_socket.call("GET", "/version")["Version"]),
        "HAProxy": _said(["haproxy", "-v"], r"version (\S+)"),
        "git": _said(["git", "--version"], r"version (\S+)"),
        "OpenSSH": _said(["ssh", "-V"], r"OpenSSH_(\S+?),? "),
        "nginx": _said(["/usr/sbin/nginx", "-v"], r"nginx/(\S+)"),
        "Caddy": _said(["/usr/bin/caddy", "version"], r"v?([0-9]\S*)"),
    }


def load() -> float:
    """Processes that wanted a core, on average of the last minute."""
    return os.getloadavg()[0]


def commit(root: Path) -> str:
    return _said(["git", "-C", str(root), "rev-parse", "--short", "HEAD"], r"(\w+)")


def _first(path: str, pattern: str) -> str:
    found = re.search(pattern, Path(path).read_text("utf-8", "replace"))
    return found[1].strip() if found else ""


def _said(argv: list[str], pattern: str) -> str:
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        return "not there"
    found = re.search(pattern, done.stdout)
    return found[1] if found else "unknown"
