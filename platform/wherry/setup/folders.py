"""The state folder: who owns what. Each process can write what it must and no more; the table below is the whole of it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from wherry.settings import Settings


def table(settings: Settings) -> list[tuple[Path, str, int]]:
    """Folder, owner, mode; the group is the receiver's everywhere. A set-group-ID folder hands its group on.

    `run` is sticky: the API and the receiver make their sockets there and can not remove each other's, and
    everyone may reach the API's socket, which asks the kernel who is there.
    """
    return [
        (settings.home, "root", 0o755),
        (settings.database.parent, "root", 0o2770),
        (settings.repositories, settings.user, 0o700),
        (settings.ssh, settings.user, 0o700),
        (settings.spool, "root", 0o2770),
        (settings.home / "logs", "root", 0o2750),
        (settings.operation_logs, "root", 0o2750),
        (settings.app_logs, "root", 0o2750),
        (settings.run, "root", 0o3771),
        (settings.proxy, "root", 0o755),
        (settings.home / "tmp", "root", 0o700),
    ]


def ensure(settings: Settings) -> str:
    """Makes the folders and sets owners and modes; contents are left alone."""
    group = pwd.getpwnam(settings.user).pw_gid
    for path, owner, mode in table(settings):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(path, pwd.getpwnam(owner).pw_uid, group if path != settings.home else 0)
        path.chmod(mode)
    _database(settings, group)
    return ""


def _database(settings: Settings, group: int) -> None:
    """SQLite gives its journals the owner and mode of the database."""
    os.close(os.open(settings.database, os.O_WRONLY | os.O_CREAT, 0o660))
    os.chown(settings.database, 0, group)
    settings.database.chmod(0o660)
