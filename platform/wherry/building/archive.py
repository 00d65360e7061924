"""Reads a pushed tree from its tar without unpacking it: names, kinds, small texts, and where each file's bytes lie."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wherry.building.failure import refuse, shown

MAX_FILES = 200_000
MAX_DEPTH = 100
MAX_TEXT = 1024 * 1024
MAX_LOCK = 32 * 1024 * 1024
"""Lock files of large projects reach a few megabytes; a Procfile never does."""


@dataclass(frozen=True)
class Tree:
    """The members of one archive by path, without a leading `./` or trailing `/`; bytes that are not UTF-8 are surrogates."""

    path: Path
    members: dict[str, tarfile.TarInfo]

    def has(self, name: str) -> bool:
        """True when `name` is a file, or a symlink to one inside the tree."""
        found = self._resolve(name)
        return found is not None and found.isfile()

    def below(self, folder: str) -> Tree:
        """The tree that a checkout of this folder alone would be. Raises DeployFailed, naming the folders that are there."""
        if not folder:
            return self
        prefix = f"{folder}/"
        members = {name.removeprefix(prefix): member for name, member in self.members.items() if name.startswith(prefix)}
        if not members:
            there = ", ".join(shown(name) for name in self.top() if name.endswith("/")) or "none"
            raise refuse(
                f"the build folder {folder} is not in the push; folders at its top: {there}",
                "Correct it with: wherry build:set APP dir=PATH",
                code="no_build_dir",
            )
        return Tree(self.path, members)

    def without(self, name: str) -> Tree:
        """The tree as if one file were not there."""
        return Tree(self.path, {path: member for path, member in self.members.items() if path != name})

    def top(self) -> list[str]:
        """What lies at the root, folders with a trailing slash, in order."""
        names = {name.partition("/")[0] for name in self.members}
        return sorted(f"{name}/" if name not in self.members or self.members[name].isdir() else name for name in names)

    def text(self, name: str, limit: int = MAX_TEXT) -> str | None:
        """The text of a file, without its BOM; None when there is none. Raises DeployFailed for a folder, a link that
        leaves the tree, another encoding than UTF-8, and more than `limit` bytes."""
        if name not in self.members and not any(path.startswith(f"{name}/") for path in self.members):
            return None
        found = self._resolve(name)
        if found is None or not found.isfile():
            raise refuse(*_not_a_file(name, self.members.get(name), found))
        if found.size > limit:
            raise refuse(f"{name} is {_size(found.size)}: it may have up to {_size(limit)}", "Keep data in another file.")
        return _decoded(name, self.read(found))

    def read(self, member: tarfile.TarInfo, limit: int = -1) -> bytes:
        with self.path.open("rb") as file:
            file.seek(member.offset_data)
            return file.read(member.size if limit < 0 else min(member.size, limit))

    def _resolve(self, name: str) -> tarfile.TarInfo | None:
        """The member that `name` stands for, following links that stay inside the tree."""
        for _ in range(8):
            member = self.members.get(name)
            if member is None or not member.issym():
                return member
            target = _joined(PurePosixPath(name).parent, member.linkname)
            if target is None:
                return None
            name = target
        return None


def open_tree(path: Path) -> Tree:
    """Reads the headers of the tar at `path`. Raises DeployFailed for names that no checkout has, and for too many files."""
    members: dict[str, tarfile.TarInfo] = {}
    if _of_empty_tree(path):
        return Tree(path, members)
    try:
        with tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape") as tar:
            for member in tar:
                name = _clean(member.name)
                if name:
                    members[name] = member
                tar.members = []  # type: ignore[attr-defined]
                if len(members) > MAX_FILES:
                    raise refuse(
                        f"the push has more than {MAX_FILES:,} files", "Leave what is generated out with .gitignore.", code="push_too_large"
                    )
    except (tarfile.TarError, EOFError) as error:
        raise refuse(f"the archive of the push can not be read ({error})", "Push again.", code="push_unreadable") from error
    return Tree(path, members)


def _of_empty_tree(path: Path) -> bool:
    """Git's archive of an empty tree holds a comment and no member, which tarfile takes for a broken file."""
    with path.open("rb") as file:
        start = file.read(20480)
    return start.startswith(b"pax_global_header") and len(start) < 20480 and not start[1024:].strip(b"\0")


def _clean(name: str) -> str:
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts:
        raise refuse(f"the push holds the path {name[:80]!a}, which leaves the app's folder", "Remove it.", code="push_unreadable")
    if len(parts) > MAX_DEPTH:
        raise refuse(f"the push holds folders nested deeper than {MAX_DEPTH}: {shown(name)}", "Flatten them.", code="push_too_large")
    return "/".join(part for part in parts if part != ".")


def _joined(folder: PurePosixPath, target: str) -> str | None:
    """`target` seen from `folder`, or None when it leaves the tree."""
    parts = [] if target.startswith("/") else list(folder.parts)
    if target.startswith("/"):
        return None
    for part in PurePosixPath(target).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return None
    return "/".join(parts)


def _decoded(name: str, data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4096]:
        raise refuse(f"{name} is not UTF-8 text (it looks like UTF-16)", "Save it as UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise refuse(f"{name} line {line}: the byte 0x{data[error.start]:02x} is not UTF-8", "Save it as UTF-8.") from error


def _not_a_file(name: str, given: tarfile.TarInfo | None, found: tarfile.TarInfo | None) -> tuple[str, str]:
    if given is not None and given.issym():
        where = "leaves the app's folder or leads nowhere" if found is None else "is not a file"
        return f"{name} is a link to {given.linkname[:80]!a}, which {where}", f"Commit {name} as a file."
    return f"{name} is a folder, not a file", f"Rename the folder, or make {name} a file."


def _size(count: int) -> str:
    return f"{count / 1024 / 1024:.0f} MB" if count >= 1024 * 1024 else f"{count // 1024} KB"
