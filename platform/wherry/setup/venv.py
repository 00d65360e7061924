"""The virtual environment: exactly the locked packages, checked by hash, no compiler needed."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from wherry import command
from wherry import settings as settings_module
from wherry.errors import CommandFailed, Unavailable
from wherry.settings import Settings
from wherry.setup import lean
from wherry.setup.code import folder as code_folder
from wherry.setup.code import link

SYSTEM_PYTHON = "/usr/bin/python3"
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def folder(settings: Settings) -> Path:
    return settings.home / "venv"


def python(settings: Settings) -> Path:
    return folder(settings) / "bin" / "python"


def ensure(settings: Settings, doing: Callable[[str], None]) -> str:
    """Installs what `requirements.lock` says, unless that is done. Raises Unavailable when packages can not be had."""
    lock = code_folder(settings) / "requirements.lock"
    target = settings.home / "venvs" / _fingerprint(lock)
    if not (target / "complete").exists():
        _make(target, lock, doing)
    if folder(settings).resolve() == target.resolve():
        return ""
    link(folder(settings), target)
    _prune(target)
    return f"Python packages: {_count(lock)} installed from the lock file"


def _make(target: Path, lock: Path, doing: Callable[[str], None]) -> None:
    doing(f"installing {_count(lock)} Python packages")
    shutil.rmtree(target, ignore_errors=True)
    command.run([SYSTEM_PYTHON, "-m", "venv", str(target)], timeout=300)
    pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", "--no-compile", "--disable-pip-version-check"]
    certificates = {"PIP_CERT": str(BUNDLE)} if BUNDLE.exists() else {}
    env = {"HOME": "/root", **certificates, **settings_module.network()}
    try:
        command.run([*pip, "--require-hashes", "--only-binary", ":all:", "--no-cache-dir", "-r", str(lock)], env=env, timeout=1800)
    except CommandFailed as error:
        raise Unavailable(
            f"Python packages could not be installed: {error.message}",
            hint="Is the network up? Behind a proxy, pass it on: sudo https_proxy=… scripts/up",
            code="no_packages",
        ) from error
    for packages in target.glob("lib/python3*/site-packages"):
        lean.compile_all(packages)
    (target / "complete").touch()


def _fingerprint(lock: Path) -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return hashlib.sha256(lock.read_bytes() + version.encode()).hexdigest()[:16]


def _count(lock: Path) -> int:
    return sum("==" in line for line in lock.read_text("utf-8").splitlines())


def _prune(current: Path) -> None:
    others = sorted((path for path in current.parent.iterdir() if path != current), key=lambda path: path.stat().st_mtime)
    for path in others[:-1]:
        shutil.rmtree(path, ignore_errors=True)
