"""Writes the tar that BuildKit builds from: the pushed files under their places, without what differs between machines.

Files keep the time of their commit, so that a web server's `Last-Modified` and `ETag` tell two versions of a file apart;
BuildKit compares contents without times, so the same tree still gives the same layers.

GNU format, because BuildKit does not read PAX names right. Headers are made from those already read, and file bytes go
through untouched: a tree is read once, however large it is.
"""

from __future__ import annotations

import copy
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wherry.building.archive import Tree

DATE = 1_000_000_000
"""The time of our own files, some second of 2001: a fixed one keeps layers the same on every machine."""
BLOCK = 512
CHUNK = 256 * 1024


@dataclass
class Context:
    """What goes into the tar: texts of our own by path, and members of the tree by the path they get."""

    texts: dict[str, bytes] = field(default_factory=dict)
    members: list[tuple[str, tarfile.TarInfo]] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)

    def add_text(self, path: str, data: bytes) -> None:
        self.texts[path] = data

    def add_folder_entry(self, path: str) -> None:
        """A folder that is there even when nothing is in it."""
        self.folders.append(path)

    def add_tree(self, prefix: str, tree: Tree, names: Iterable[str]) -> None:
        self.members.extend((f"{prefix}{name}", tree.members[name]) for name in names)

    def below(self, *prefixes: str) -> Context:
        """Only what lies under one of these paths."""
        texts = {path: data for path, data in self.texts.items() if path.startswith(prefixes)}
        members = [(path, member) for path, member in self.members if path.startswith(prefixes)]
        return Context(texts, members, [path for path in self.folders if path.startswith(prefixes)])

    def stream(self, archive: Path | None = None) -> Iterator[bytes]:
        """The tar in chunks. `archive` is the file whose members were added."""
        return _chunks(self._blocks(archive))

    def _blocks(self, archive: Path | None) -> Iterator[bytes]:
        for path in self.folders:
            yield _header(_own_folder(path))
        for path, data in self.texts.items():
            yield _header(_own(path, len(data)))
            yield data
            yield _padding(len(data))
        if archive is not None:
            yield from self._pushed(archive)
        yield bytes(2 * BLOCK)

    def _pushed(self, archive: Path) -> Iterator[bytes]:
        with archive.open("rb") as file:
            for path, member in self.members:
                yield _header(_placed(path, member))
                if member.isreg():
                    file.seek(member.offset_data)
                    left = member.size
                    while left and (data := file.read(min(left, CHUNK))):
                        left -= len(data)
                        yield data
                    yield _padding(member.size)


def _own(path: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.size, info.mtime, info.mode = size, DATE, 0o644
    return info


def _own_folder(path: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.mtime, info.mode = tarfile.DIRTYPE, DATE, 0o755
    return info


def _placed(path: str, member: tarfile.TarInfo) -> tarfile.TarInfo:
    """`member` under another path, owned by nobody in particular. Git keeps no more of a
    mode than whether a file can be run."""
    info = copy.copy(member)
    info.name, info.pax_headers = path, {}
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    info.size = member.size if member.isreg() else 0
    return info


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _chunks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Joins small pieces: each chunk of an HTTP body costs a system call."""
    held = bytearray()
    for block in blocks:
        held += block
        if len(held) >= CHUNK:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
