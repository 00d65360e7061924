"""Keeps the logins to registries in one file that only root reads: no database, no log, no answer ever holds a password."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

from wherry.building.builder import Login
from wherry.model.origin import HUB
from wherry.secret import Secret
from wherry.settings import Settings

HUB_HOSTS = ("registry-1.docker.io", "index.docker.io", "docker.io", "https://index.docker.io/v1/")
"""How builders name Docker Hub."""
_lock = threading.Lock()


def of(settings: Settings, server: str) -> Login | None:
    """Who we are at this registry; None when nobody logged in."""
    found = _read(settings.registry_logins).get(server)
    return Login(found["user"], Secret(found["password"])) if found else None


def by(settings: Settings) -> Callable[[str], tuple[str, str] | None]:
    """Answers a build's question for user and password at a registry, by the host that serves its images."""

    def asked(host: str) -> tuple[str, str] | None:
        found = of(settings, HUB if host in HUB_HOSTS else host)
        return (found.user, found.password.reveal()) if found else None

    return asked


def put(settings: Settings, server: str, login: Login) -> None:
    with _lock:
        known = _read(settings.registry_logins)
        _write(settings.registry_logins, {**known, server: {"user": login.user, "password": login.password.reveal()}})


def remove(settings: Settings, server: str) -> None:
    with _lock:
        known = _read(settings.registry_logins)
        if known.pop(server, None):
            _write(settings.registry_logins, known)


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        found: dict[str, dict[str, str]] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return found


def _write(path: Path, logins: dict[str, dict[str, str]]) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(logins, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
