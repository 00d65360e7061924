"""Makes pushed archives the way a push does: a real commit, and git's own archive of it."""

from __future__ import annotations

import subprocess
import tomllib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker

from wherry.building.archive import Tree, open_tree
from wherry.building.builder import Built, Source

REPOSITORY = Path(__file__).parents[1]
PACKS = REPOSITORY / "buildpacks"
DATA = Path(__file__).parent / "building" / "data"
Files = Mapping[str, str | bytes]


def commit(folder: Path, files: Files, message: str = "a commit") -> str:
    """Writes `files` (text, bytes, or `-> target` for a link) and commits all there is; returns the commit."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if isinstance(content, str) and content.startswith("-> "):
            path.symlink_to(content[3:])
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD").strip()


def push(folder: Path, files: Files, app: str = "shop") -> Source:
    """Commits `files` into the repository at `folder` and archives the commit."""
    folder.mkdir(parents=True, exist_ok=True)
    made = commit(folder, files)
    archive = folder / ".git" / f"{made}.tar"
    git(folder, "archive", "--output", str(archive), made)
    return Source(app, made, git(folder, "rev-parse", f"{made}^{{tree}}").strip(), archive)


def tree(folder: Path, files: Files) -> Tree:
    return open_tree(push(folder, files).archive)


def git(folder: Path, *arguments: str) -> str:
    person = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(["git", *person, "-C", str(folder), *arguments], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def cases(name: str) -> list[Any]:
    """The rows of `tests/building/data/<name>.toml`."""
    return list(tomllib.loads((DATA / f"{name}.toml").read_text("utf-8"))["case"])


def content(case: Mapping[str, Any]) -> bytes:
    """What a row's file holds: `text`, or `hex` for what text can not say; `times` repeats it."""
    data = bytes.fromhex(case["hex"]) if "hex" in case else str(case.get("text", "")).encode()
    return data * int(case.get("times", 1))


def unique(name: str) -> str:
    """An app name that no other run has."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def run(built: Built, *argv: str) -> str:
    """What a command prints in a container of a built image, on the real engine."""
    client = docker.from_env()
    try:
        return client.containers.run(built.image, list(argv), remove=True).decode()  # type: ignore[no-any-return]
    finally:
        client.close()
