"""What a process of the platform does about itself: its user, its name in `ps`, and not outliving its parent."""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import signal
from pathlib import Path

from wherry.errors import NotFound

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
ARG_START, ARG_END = 45, 46
"""Positions in /proc/self/stat after the name: proc(5), fields 48 and 49."""

_libc = ctypes.CDLL(None, use_errno=True)


def become(user: str) -> None:
    """Gives up root for `user` for good; does nothing when not root. Raises NotFound when there is no such account."""
    if os.geteuid() != 0 or not user:
        return
    try:
        account = pwd.getpwnam(user)
    except KeyError as error:
        raise NotFound(f'no system user "{user}"', hint="Create it with: sudo scripts/up", code="no_such_account") from error
    groups = sorted({account.pw_gid, *(group.gr_gid for group in grp.getgrall() if user in group.gr_mem)})
    os.setgroups(groups)
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)


def die_with(parent: int) -> None:
    """The kernel kills this process when `parent` dies. Call it after `become`: a change of user clears it."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def rename(title: str) -> None:
    """Shows `title` in `ps` and `top`. The kernel reads both from this process's own memory."""
    _libc.prctl(PR_SET_NAME, title.replace(": ", "-")[:15].encode(), 0, 0, 0)
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[ARG_START]), int(fields[ARG_END])
    if 0 < start < end:
        room = end - start - 1
        ctypes.memset(start, 0, end - start)
        ctypes.memmove(start, title.encode()[:room], min(len(title.encode()), room))


def command_line(pid: int) -> list[str]:
    """The arguments of a running process; empty when there is none or it is a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def alive(pid: int) -> bool:
    """True while `pid` runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
