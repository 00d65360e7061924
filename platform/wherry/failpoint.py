"""Things go wrong on purpose, at named stages of an operation: how tests prove that nothing is left half done.

Off unless WHERRY_FAILPOINTS names stages; then `at("create")` does there what it says: `create=kill;drain=sleep:5`. Where the
folder that `arm` was given exists, each stage strikes once, and the file that it leaves there says that it was reached.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import time
from pathlib import Path

STAGES = {
    "receive": "the hook has read what is pushed",
    "lock": "it is this push's turn",
    "archive": "the commit is a whole tar file in the spool",
    "queue": "the operation is in the database",
    "build_start": "the build has its turn",
    "build_middle": "BuildKit builds",
    "tag": "the image has its name",
    "build_end": "the image is built, and no row says so yet",
    "release_row": "the release is in the database",
    "create": "a container is made, and not started",
    "start": "a container is started, and nobody waits for it yet",
    "health": "an instance was seen ready, and nobody was told",
    "route_write": "a route is about to change",
    "route_acknowledged": "HAProxy has taken the route, and its files are the old ones",
    "commit": "visitors see the new release, and the database the old one",
    "drain": "an old instance has left the route",
    "stop_old": "nothing is under way on it any more",
    "collect": "it has stopped, and its last words are not collected",
    "notify": "the operation has ended in the database, and the engine does not know",
    "unlock": "the hook knows the outcome, and git does not",
}
"""Every stage, in the order in which a push comes by, and what is true there."""

FORM = r"([a-z_]+|\*)=(note|kill|exit|enospc|eio|sleep:[0-9]{1,4}(\.[0-9]+)?)"
EXIT_STATUS = 70
_armed: dict[str, str] = {}
_struck: list[Path] = []


def parse(text: str) -> dict[str, str]:
    """Stage to action. Raises ValueError with the allowed form."""
    found: dict[str, str] = {}
    for word in filter(None, text.split(";")):
        stage, _, action = word.partition("=")
        if not re.fullmatch(FORM, word) or stage not in (*STAGES, "*"):
            raise ValueError("stages and what happens there, e.g. create=kill;drain=sleep:5;build_end=enospc")
        found |= {name: action for name in STAGES if stage in (name, "*")}
    return found


def arm(text: str, folder: Path) -> None:
    """From now on this process does at its stages what `text` says."""
    _armed.clear()
    _armed.update(parse(text))
    _struck[:] = [folder]


def at(stage: str) -> None:
    """A stage is reached. Raises OSError, sleeps or never returns when that was asked for."""
    if _armed and stage in _armed and _first_time(stage):
        _strike(_armed[stage])


def _first_time(stage: str) -> bool:
    try:
        os.close(os.open(_struck[0] / stage, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        return False
    except OSError:
        return True
    return True


def _strike(action: str) -> None:
    name, _, seconds = action.partition(":")
    match name:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(EXIT_STATUS)
        case "sleep":
            time.sleep(float(seconds))
        case "enospc" | "eio":
            number = errno.ENOSPC if name == "enospc" else errno.EIO
            raise OSError(number, os.strerror(number))
