"""The bare repositories, one per app: made by the first push, configured by us alone, tidied when nobody waits.

The `config` file is written whole from here, so that every repository follows the present settings and code, and
nothing a pusher sends can change how git works on it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wherry import command
from wherry.settings import Settings, source_root

GIT_ENVIRONMENT = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0"}
"""No configuration but the repository's own."""

LOCK, RECEIVING = "wherry.lock", "wherry.receiving"
LOOSE_IN_ONE_FOLDER = 24
"""A 256th of the loose objects: git itself cleans up at 27."""

PACKS = 40
QUARANTINES = "tmp_objdir-incoming-*"
"""Where git keeps what a push brings until it is accepted."""
LEFTOVER_AGE = 6 * 3600.0
LAST_BREATH = 5.0
"""Seconds that what a killed push started may still need to end."""


def path_of(settings: Settings, app: str) -> Path:
    return settings.repositories / f"{app}.git"


def ensure(settings: Settings, app: str) -> Path:
    """The app's repository, made if needed. A half-made one is never seen: it is renamed into place when complete."""
    path = path_of(settings, app)
    if not path.exists():
        _create(settings, path)
    _write_if_other(path / "config", _config(settings))
    return path


def remove(settings: Settings, app: str) -> None:
    """Deletes the repository of an app that was destroyed; does nothing when there is none."""
    path = path_of(settings, app)
    grave = path.with_name(f".{app}.removed.{os.getpid()}")
    try:
        path.rename(grave)
    except FileNotFoundError:
        return
    shutil.rmtree(grave, ignore_errors=True)


def rename(settings: Settings, app: str, name: str) -> None:
    """The repository goes on under another name. One that is not there, or was renamed already, is fine."""
    source, target = path_of(settings, app), path_of(settings, name)
    if source.exists() and not target.exists():
        source.rename(target)


def open_lock(path: Path) -> int:
    """A descriptor for the lock that makes pushes to one app take turns.

    It goes to `git receive-pack` and from there to the hook, which takes the lock; the kernel lets go of it when the
    last of the two is gone, whatever ended them. The file is never removed, so all see the same one.
    """
    return _open_for_locks(path / LOCK)


def open_receiving(path: Path) -> int:
    """A descriptor for `git receive-pack`, by which is seen whether any push is being received: all of them share it."""
    descriptor = _open_for_locks(path / RECEIVING)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def tidy(path: Path) -> bool:
    """Packs the repository when it has grown untidy, at low priority; True when there was something to do. Pushes may come
    meanwhile: git prunes nothing that is younger than two weeks."""
    _sweep(path)
    loose = len(list((path / "objects" / "17").glob("*")))
    packs = len(list((path / "objects" / "pack").glob("*.pack")))
    if loose < LOOSE_IN_ONE_FOLDER and packs < PACKS:
        return False
    command.run(["nice", "-n", "15", "git", "gc", "--quiet"], env=GIT_ENVIRONMENT, cwd=path, timeout=1800.0, check=False)
    return True


def _create(settings: Settings, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    argv = ["git", "init", "--quiet", "--bare", "--template=", f"--initial-branch={settings.branch}", "--", str(temporary)]
    command.run(argv, env=GIT_ENVIRONMENT)
    _write_if_other(temporary / "config", _config(settings))
    try:
        temporary.rename(path)
    except OSError:
        shutil.rmtree(temporary)
        if not path.exists():
            raise


def _config(settings: Settings) -> str:
    """fsckObjects refuses hostile trees and .gitmodules; three of its checks only warn, old honest histories fail them.
    Packs are kept as they come (unpackLimit): to unpack 50 MB takes seconds and the memory. Clean-up is ours (`tidy`),
    so that no push waits for it."""
    hooks = str(source_root() / "hooks").replace("\\", "\\\\").replace('"', '\\"')
    return f"""\
[core]
\trepositoryformatversion = 0
\tbare = true
\thooksPath = "{hooks}"
\tfsyncMethod = batch
\tlogAllRefUpdates = true
[receive]
\tfsckObjects = true
\tmaxInputSize = {settings.max_push}m
\tadvertisePushOptions = true
\tshallowUpdate = false
\tautogc = false
\tkeepAlive = 5
\tunpackLimit = 1
\tdenyCurrentBranch = ignore
\tdenyDeleteCurrent = ignore
[receive "fsck"]
\tzeroPaddedFilemode = warn
\tmissingSpaceBeforeDate = warn
\tbadTimezone = warn
[uploadpack]
\tallowFilter = false
\tallowAnySHA1InWant = false
[uploadpackFilter]
\tallow = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""


def _write_if_other(path: Path, text: str) -> None:
    if path.exists() and path.read_text("utf-8") == text:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    temporary.write_text(text, "utf-8")
    temporary.rename(path)


def _open_for_locks(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _sweep(path: Path) -> None:
    """Removes what pushes left behind that were killed without warning: the objects they brought at once, unless others are being
    received, and what may be somebody else's when it is old."""
    if any((path / "objects").glob(QUARANTINES)):
        with _nobody_receives(path) as alone:
            _remove((path / "objects").glob(QUARANTINES), 0.0 if alone else LEFTOVER_AGE)
    _remove((path / "objects").glob("tmp_objdir-*"), LEFTOVER_AGE)
    _remove(path.glob("shallow_*"), LEFTOVER_AGE)
    _remove((path / "objects" / "pack").glob("tmp_*"), LEFTOVER_AGE)


def _remove(found: Iterator[Path], age: float) -> None:
    old = time.time() - age
    for path in list(found):
        with suppress(FileNotFoundError):  # another push that ended just now has taken its own away
            if path.lstat().st_mtime <= old:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


@contextmanager
def _nobody_receives(path: Path) -> Iterator[bool]:
    """Whether no push is being received; then none begins as long as the block runs."""
    descriptor = _open_for_locks(path / RECEIVING)
    try:
        yield _taken(descriptor, time.monotonic() + LAST_BREATH)
    finally:
        os.close(descriptor)


def _taken(descriptor: int, end: float) -> bool:
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
