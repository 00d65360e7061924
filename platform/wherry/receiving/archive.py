"""A pushed commit becomes a tar file in the spool, after a look at what it holds. Works inside git's quarantine.

All git commands here run in the hook's own repository and environment, take full object ids only, and read no
configuration but the repository's.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from wherry import command
from wherry.errors import CommandFailed, InvalidInput, WherryError
from wherry.receiving.tree import Entry, check, entries

POINTER = b"version https://git-lfs.github.com/spec/"
GIT_TIMEOUT = 300.0


@dataclass(frozen=True)
class Commit:
    """What git knows of a pushed commit: full ids of itself and its tree, and where its ref points now (or "")."""

    id: str
    tree: str
    ref_now: str


class Source:
    """One commit in the repository that `env` (git's own variables of the hook) points to."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = dict(env)

    def look_up(self, commit: str, ref: str) -> Commit:
        """Raises InvalidInput when `commit` is not a commit (a tag or a tree under a branch's name)."""
        lines = self._git(["cat-file", "--batch-check=%(objectname) %(objecttype)"], f"{commit}\n{commit}^{{tree}}\n{ref}\n").splitlines()
        found = [line.split() for line in lines]
        if found[0][1:] != ["commit"]:
            raise InvalidInput(f"{commit[:7]} is not a commit: push a branch", code="not_a_commit")
        return Commit(commit, found[1][0], found[2][0] if found[2][1:] == ["commit"] else "")

    def check_history(self, commit: str) -> None:
        """Raises InvalidInput for a shallow push. Git would refuse it too, but only after the deploy."""
        if not any(Path().glob("shallow_*")):
            return
        try:
            self._git(["rev-list", "--quiet", commit, "--not", "--all"])
        except CommandFailed:
            raise InvalidInput(
                "this is a shallow clone: part of its history is missing.", hint="Fetch it first: git fetch --unshallow", code="shallow"
            ) from None

    def check_tree(self, tree: str) -> None:
        """Raises InvalidInput, in plain words, for a tree that can not become an image."""
        argv = ["git", "ls-tree", "-r", "-z", "-l", "--full-tree", tree]
        check(entries(command.run(argv, env=self._env, timeout=GIT_TIMEOUT).out), self._pointers)

    @contextmanager
    def archived(self, commit: str, spool: Path) -> Iterator[_Archive]:
        """Writes the tar while the caller looks at the tree; `finish()` waits for it. Removed when the block fails: by a
        signal only what is unfinished, for the finished tar may be the engine's already."""
        spool.mkdir(parents=True, exist_ok=True)
        archive = _Archive(spool / f"{uuid.uuid4()}.tar", self._env, commit)
        try:
            yield archive
        except WherryError:
            archive.stop()
            archive.path.unlink(missing_ok=True)
            raise
        except BaseException:
            archive.stop()
            raise

    def _pointers(self, small: Sequence[Entry]) -> list[bytes]:
        """Paths of those that are Git LFS pointers."""
        asked = "".join(f"{entry.id}\n" for entry in small)
        out = self._git_bytes(["cat-file", "--batch=%(objectsize)"], asked)
        found, at = [], 0
        for entry in small:
            start = out.index(b"\n", at) + 1
            if out.startswith(POINTER, start):
                found.append(entry.path)
            at = start + int(out[at : start - 1]) + 1
        return found

    def _git(self, words: list[str], said: str = "") -> str:
        return self._git_bytes(words, said).decode("utf-8", "surrogateescape")

    def _git_bytes(self, words: list[str], said: str) -> bytes:
        memory = os.memfd_create("wherry", os.MFD_CLOEXEC)
        with os.fdopen(memory, "w+b") as stdin:
            stdin.write(said.encode())
            stdin.seek(0)
            return command.run(["git", *words], env=self._env, stdin=stdin, timeout=GIT_TIMEOUT).out


class _Archive:
    """A tar on its way: under another name until it is whole and on the disk, so nobody ever sees half of one."""

    def __init__(self, path: Path, env: Mapping[str, str], commit: str) -> None:
        self.path = path
        self._part = path.with_suffix(".tar.part")
        self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "wb")
        argv = ["git", "archive", "--format=tar", commit]
        self._process = command.spawn(argv, env=env, stdout=self._file, stderr=command.PIPE, new_session=False)

    def finish(self) -> Path:
        """Blocks until the tar is complete. Raises CommandFailed with git's own last line."""
        _, err = self._process.communicate(timeout=GIT_TIMEOUT)
        if self._process.returncode:
            raise CommandFailed(f"git archive failed: {ascii(err.decode('utf-8', 'replace').strip()[-200:])[1:-1]}")
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.rename(self.path)
        return self.path

    def stop(self) -> None:
        """Leaves nothing half-made behind."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.communicate()
        self._file.close()
        self._part.unlink(missing_ok=True)
