"""A pushed commit becomes a tar file in the spool, after a look at what it holds. Works inside git's quarantine.

All git commands here run in the hook's own repository and environment, take full object ids only, and read no
configuration but the repository's.
"""

from __future__ import annotations

import os
import tarfile
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from wherry import command
from wherry.errors import CommandFailed, InvalidInput, WherryError
from wherry.receiving.tree import Entry, check, entries

POINTER = b"version https://git-lfs.github.com/spec/"
GIT_TIMEOUT = 300.0
PIECE = 64 * 1024


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

    def commit_of(self, revision: str) -> Commit | None:
        """What a ref points to, tags followed; None when there is no such ref. Not for a pusher's words."""
        out = self._git(["cat-file", "--batch-check=%(objectname) %(objecttype)"], f"{revision}^{{commit}}\n")
        return self.look_up(out.split()[0], revision) if out.split()[1:] == ["commit"] else None

    def module_urls(self, tree: str) -> dict[str, str]:
        """The address of each submodule by its path, as `.gitmodules` says."""
        argv = ["config", f"--blob={tree}:.gitmodules", "-z", "--get-regexp", r"^submodule\..*\.(path|url)$"]
        found = command.run(["git", *argv], env=self._env, timeout=GIT_TIMEOUT, check=False).out.decode("utf-8", "surrogateescape")
        values = dict(line.split("\n", 1) for line in found.split("\0") if "\n" in line)
        paths = {key.removesuffix(".path"): value for key, value in values.items() if key.endswith(".path")}
        return {path: values.get(f"{key}.url", "") for key, path in paths.items()}

    def check_tree(self, tree: str) -> list[Entry]:
        """Returns the submodules. Raises InvalidInput, in plain words, for a tree that can not become an image."""
        with closing(self._listing(tree)) as listing:
            return check(entries(listing), self._pointers)

    def _listing(self, tree: str) -> Generator[bytes, None, None]:
        """What git lists, piece by piece; to close it ends git."""
        argv = ["git", "ls-tree", "-r", "-z", "-l", "--full-tree", tree]
        git = command.spawn(argv, env=self._env, stdout=command.PIPE, new_session=False)
        assert git.stdout is not None
        try:
            yield from iter(partial(git.stdout.read, PIECE), b"")
            if git.wait():
                raise CommandFailed(f"git ls-tree exited with {git.returncode}")
        finally:
            git.stdout.close()
            git.kill()
            git.wait()

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

    def pack(self, commit: str, prefix: str, file: IO[bytes]) -> None:
        """Writes the commit's files as a tar to `file` from where it stands, each path after `prefix`."""
        command.run(["git", "archive", "--format=tar", f"--prefix={prefix}", commit], env=self._env, stdout=file, timeout=GIT_TIMEOUT)

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


@dataclass(frozen=True)
class Module:
    """A submodule at `path`: one commit in a repository of its own."""

    source: Source
    commit: str
    path: str


class _Archive:
    """A tar on its way: under another name until it is whole and on the disk, so nobody ever sees half of one."""

    def __init__(self, path: Path, env: Mapping[str, str], commit: str) -> None:
        self.path = path
        self._part = path.with_suffix(".tar.part")
        self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "wb")
        argv = ["git", "archive", "--format=tar", commit]
        self._process = command.spawn(argv, env=env, stdout=self._file, stderr=command.PIPE, new_session=False)

    def finish(self, modules: Sequence[Module] = ()) -> Path:
        """Blocks until the tar is complete, the files of `modules` in it. Raises CommandFailed with git's own last line."""
        _, err = self._process.communicate(timeout=GIT_TIMEOUT)
        if self._process.returncode:
            raise CommandFailed(f"git archive failed: {ascii(err.decode('utf-8', 'replace').strip()[-200:])[1:-1]}")
        for module in modules:
            self._append(module)
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.rename(self.path)
        return self.path

    def _append(self, module: Module) -> None:
        """Over the blocks of zeros at the end, which say that there is no more."""
        with self._part.open("rb") as written, tarfile.open(fileobj=written) as tar:
            for _ in tar:
                tar.members = []  # type: ignore[attr-defined]
            end = tar.offset  # type: ignore[attr-defined]
        self._file.seek(end)
        module.source.pack(module.commit, f"{module.path}/", self._file)

    def stop(self) -> None:
        """Leaves nothing half-made behind."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.communicate()
        self._file.close()
        self._part.unlink(missing_ok=True)
