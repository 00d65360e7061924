"""The platform's own code, copied out of the clone: root's, readable by the service users, swapped in one step.

Each version has a folder named after its content; `code` is a link to the one in force. A running process keeps to
the version it started with.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from wherry.errors import NotFound
from wherry.settings import Settings
from wherry.setup import lean

NEEDED = ("platform", "buildpacks", "hooks", "sample_app", "requirements.lock")
WELCOME = ("docs", "README.md", "LICENSE")
KEPT = 2


def folder(settings: Settings) -> Path:
    return settings.home / "code"


def ensure(settings: Settings, source: Path) -> str:
    """Puts the code of `source` in force. Raises NotFound when the clone is not complete."""
    absent = [name for name in NEEDED if not (source / name).exists()]
    if absent:
        raise NotFound(
            f"{source} has no {absent[0]}", hint="Clone the repository again: the copy is not complete.", code="clone_incomplete"
        )
    version = fingerprint(source)
    target = settings.home / "versions" / version
    if folder(settings).resolve() == target.resolve() and target.exists():
        return ""
    if not target.exists():
        _copy(source, target)
    link(folder(settings), target)
    _prune(target.parent, target)
    return f"code: version {version[:7]} in place"


def fingerprint(source: Path) -> str:
    """Equal for equal content and equal permissions to run."""
    digest = hashlib.sha256()
    for path in _files(source):
        digest.update(f"{path.relative_to(source)}\0{os.access(path, os.X_OK)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def link(name: Path, target: Path) -> None:
    """Points the symbolic link `name` at `target`, in one step."""
    fresh = name.with_name(f".{name.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(name)


def is_an_image_s(settings: Settings) -> bool:
    """Whether the code in force is that of a container's image (setup/container.py), not a copy in the state folder."""
    return folder(settings).is_symlink() and not folder(settings).resolve().is_relative_to(settings.home.resolve())


def _files(source: Path) -> list[Path]:
    roots = [source / name for name in (*NEEDED, *WELCOME) if (source / name).exists()]
    found = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*")) if path.is_file()]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def _copy(source: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    for path in _files(source):
        copy = draft / path.relative_to(source)
        copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
    for path in (draft, *draft.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    # The service users can not write here: compiled now or at every start.
    lean.compile_all(draft / "platform")
    draft.rename(target)
    target.parent.chmod(0o755)


def _prune(versions: Path, current: Path) -> None:
    """Keeps the version in force and the one before: processes of it may still be running."""
    others = sorted((path for path in versions.iterdir() if path != current), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)
