"""The distribution's packages: only what is missing is installed, and what a person chose before is never replaced."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from wherry import command, settings
from wherry.errors import CommandFailed, Unavailable
from wherry.setup import engine_api, machine
from wherry.setup.console import several

TOOLS = {
    "haproxy": "haproxy",
    "git": "git",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "openssl": "openssl",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "update-ca-certificates": "ca-certificates",
}
"""What each program comes in."""

QUIET = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Color=0"]


def ensure(doing: Callable[[str], None]) -> str:
    """Installs what is missing; returns a sentence. Raises Unavailable when the packages can not be had."""
    wanted = missing()
    if not wanted:
        return "packages: all there"
    doing(f"installing {several(wanted, 9)}")
    _apt(["update", "-qq"], "the package lists could not be fetched")
    if "docker.io" in wanted and not _have("docker") and known("docker-cli"):
        wanted.append("docker-cli")
    _apt(["install", *QUIET, *wanted], "packages could not be installed")
    if "haproxy" in wanted and machine.has_systemd():
        # Debian starts one with an empty configuration; the platform runs its own.
        command.run(["systemctl", "disable", "--now", "haproxy"], check=False)
    return f"packages: {several(wanted)} installed"


def missing() -> list[str]:
    """The packages to install, in order."""
    wanted = {package for program, package in TOOLS.items() if not _have(program)}
    if not _have("dockerd") and not engine_api.answers():
        wanted.add("docker.io")
    if not _has_venv():
        wanted.add("python3-venv")
    if _uses_apparmor() and not _have("apparmor_parser"):
        wanted.add("apparmor")
    return sorted(wanted)


def known(package: str) -> bool:
    """Whether the distribution has a package of this name."""
    return command.run(["apt-cache", "show", package], check=False).status == 0


def _have(program: str) -> bool:
    return shutil.which(program, path=command.CLEAN_ENVIRONMENT["PATH"]) is not None


def _has_venv() -> bool:
    return command.run(["/usr/bin/python3", "-c", "import ensurepip, venv"], check=False).status == 0


def _uses_apparmor() -> bool:
    """Docker starts no container where the kernel has AppArmor and its parser is absent."""
    switch = Path("/sys/module/apparmor/parameters/enabled")
    return switch.exists() and switch.read_text().strip() == "Y"


def _apt(words: list[str], trouble: str) -> None:
    env = {"DEBIAN_FRONTEND": "noninteractive", **settings.network()}
    try:
        command.run(["apt-get", *words], env=env, timeout=1800)
    except CommandFailed as error:
        raise Unavailable(
            f"{trouble}: {error.message}",
            hint="Is the network up, and are the sources in /etc/apt right? Then run it again.",
            code="no_packages",
        ) from error
