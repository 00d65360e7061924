"""Sends a short-lived, unprivileged process out to get the source of an app, and brings back what it got.

The engine, which holds the keys to the machine, neither downloads nor reads what strangers wrote: this child does (see
`errand_child`). It dies with the engine, is killed when it takes too long or is cancelled, and leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from wherry import clock, command, errors
from wherry.errors import DeployFailed, WherryError
from wherry.settings import Settings, as_environment

CHILD = Path(__file__).with_name("errand_child.py")
POLL = 0.2


@dataclass(frozen=True)
class Got:
    """`archive` is the name of a tar in the spool, empty when none was asked for. `commit` and `tree` are git's ids, or for
    an archive the digest of its content."""

    commit: str
    tree: str
    archive: str = ""


def run(settings: Settings, job: Mapping[str, Any], say: Callable[[str], None], cancelled: Callable[[], bool] = lambda: False) -> Got:
    """Does one job: `{"kind": "url" | "upload" | "load" | "git" | "pushed" | "settle" | "submodule", …}`; see `errand_child`.

    Blocks at most WHERRY_BUILD_TIMEOUT seconds. Raises what went wrong out there, as the WherryError that it was.
    """
    argv = [sys.executable, "-I", str(CHILD)]
    pipe = command.PIPE
    process = command.spawn(argv, env=as_environment(settings), cwd=Path("/"), stdin=pipe, stdout=pipe, user=settings.user)
    assert process.stdin and process.stdout
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(dict(job)).encode() + b"\n")
            process.stdin.flush()
        return _listen(process.stdout, say, cancelled, clock.monotonic() + settings.build_timeout)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()


def _listen(out: IO[bytes], say: Callable[[str], None], cancelled: Callable[[], bool], end: float) -> Got:
    waiting = b""
    while True:
        if cancelled():
            raise DeployFailed("it was cancelled while its source was fetched", code="cancelled")
        if clock.monotonic() > end:
            raise DeployFailed("the source took too long to fetch", hint="Try again, or raise WHERRY_BUILD_TIMEOUT.", code="fetch_timeout")
        if not select.select([out], [], [], POLL)[0]:
            continue
        data = os.read(out.fileno(), 65536)
        *lines, waiting = (waiting + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            if "got" in told:
                return Got(**told["got"])
            if "error" in told:
                raise _error(told["error"])
            say(str(told["line"]))
        if not data:
            raise DeployFailed("the process that fetches sources ended without a word", hint="Try again in a moment.", code="fetch_failed")


def _error(told: Mapping[str, str]) -> WherryError:
    # Unavailable is the platform's own engine or proxy, which is waited for; somebody else's server is not.
    kind = DeployFailed if told["kind"] == "Unavailable" else getattr(errors, told["kind"], WherryError)
    message, hint, reason = (told[name] for name in ("message", "hint", "code"))
    made: WherryError = kind(message, hint=hint, code=reason)
    return made
