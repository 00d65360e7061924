"""The service users: system accounts without a shell or a home. Their comment says whose they are, so removal can tell."""

from __future__ import annotations

import pwd

from wherry import command
from wherry.settings import Settings

NOLOGIN = "/usr/sbin/nologin"


def comment(settings: Settings) -> str:
    return f"Wherry platform {settings.name}"


def ensure(settings: Settings) -> str:
    """Makes the receiver's user with a group of the same name, and the API's user in that group."""
    base = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", NOLOGIN, "--comment", comment(settings)]
    made = []
    if not exists(settings.user):
        command.run([*base, "--user-group", "--", settings.user])
        made.append(settings.user)
    if not exists(settings.api_user):
        command.run([*base, "--no-user-group", "--gid", settings.user, "--", settings.api_user])
        made.append(settings.api_user)
    return f"service users: {' and '.join(made)} made" if made else ""


def ours(settings: Settings) -> list[str]:
    """The accounts that were made for this platform, the API's first."""
    names = [settings.api_user, settings.user]
    return [name for name in names if exists(name) and pwd.getpwnam(name).pw_gecos == comment(settings)]


def remove(names: list[str]) -> None:
    for name in names:
        command.run(["userdel", "--", name], check=False)


def exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
