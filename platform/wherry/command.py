"""The one door to other programs: argument lists only, no shell, a clean environment, a deadline."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wherry.errors import CommandFailed, NotFound

PIPE = subprocess.PIPE
CLEAN_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Result:
    """How a finished program went: exit status and its two outputs as bytes."""

    status: int
    out: bytes
    err: bytes


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    timeout: float = 60.0,
    check: bool = True,
) -> Result:
    """Runs `argv` to its end. `env` is added to a minimal environment; nothing else is inherited.

    Raises CommandFailed when the program is missing, outlives `timeout` seconds, or (with `check`) exits non-zero.
    """
    try:
        done = subprocess.run(
            list(argv),
            env={**CLEAN_ENVIRONMENT, **(env or {})},
            cwd=cwd,
            stdin=stdin or subprocess.DEVNULL,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandFailed(f"{argv[0]} is not installed", hint=f"Install it: apt-get install {argv[0]}") from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{argv[0]} did not end within {timeout:g} s") from error
    result = Result(done.returncode, done.stdout or b"", done.stderr or b"")
    if check and result.status:
        raise CommandFailed(f"{argv[0]} exited with {result.status}: {_last_line(result.err or result.out)}")
    return result


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    new_session: bool = True,
    pass_fds: Sequence[int] = (),
    user: str = "",
) -> subprocess.Popen[bytes]:
    """Starts `argv` and returns at once; the caller owns the process and must wait for it. `pass_fds` stay open in it.

    With `user`, root starts it as that account, in its own group alone. Raises NotFound when there is none.
    """
    account = _account(user) if user and os.geteuid() == 0 else None
    return subprocess.Popen(
        list(argv),
        env={**CLEAN_ENVIRONMENT, **(env or {})},
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=new_session,
        pass_fds=pass_fds,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )


def _account(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError as error:
        raise NotFound(f'no system user "{user}"', hint="Create it with: sudo scripts/up", code="no_such_account") from error


def _last_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "no output"
