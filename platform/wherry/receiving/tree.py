"""Decides whether a pushed tree can become an image, before any work is spent on it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from wherry.errors import InvalidInput

MOST_FILES = 500_000
LARGEST_TREE = 4 * 1024**3
"""Bytes of all files together."""

POINTER_SIZES = range(100, 300)
MOST_POINTERS_LOOKED_AT = 200
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
NAMED = 3
"""How many offenders a message names."""

COMMIT = "the commit"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a tree as `git ls-tree -l` lists it; `size` in bytes, 0 for a submodule."""

    mode: str
    id: str
    size: int
    path: bytes

    @property
    def is_submodule(self) -> bool:
        return self.mode == "160000"


def entries(listing: Iterable[bytes]) -> Iterator[Entry]:
    """Reads `git ls-tree -r -z -l` as it comes, in pieces of any size."""
    begun = b""
    for piece in listing:
        *lines, begun = (begun + piece).split(b"\0")
        for line in lines:
            meta, path = line.split(b"\t", 1)
            mode, _, object_id, size = meta.split()
            yield Entry(mode.decode(), object_id.decode(), 0 if size == b"-" else int(size), path)


def check(found: Iterable[Entry], pointers_of: Callable[[list[Entry]], list[bytes]], what: str = COMMIT) -> list[Entry]:
    """Returns the submodules. Raises InvalidInput naming what is in the way in `what`. `pointers_of` tells which small files
    are Git LFS pointers; it is asked only when the tree has attributes, for without them there is no LFS. Not all of `found` is read
    when there is too much: ten trees of ten trees each, ten deep, are a push of a few kB and ten thousand million files."""
    files = total = 0
    submodules: list[Entry] = []
    names: list[bytes] = []
    small: list[Entry] = []
    has_attributes = False
    for entry in found:
        files += 1
        if files > MOST_FILES:
            raise InvalidInput(
                f"{what} has more than {MOST_FILES:,} files, the most that is accepted.", hint=LEAVE_OUT, code="too_many_files"
            )
        total += entry.size
        has_attributes |= entry.path.rpartition(b"/")[2] == b".gitattributes"
        if entry.is_submodule:
            submodules.append(entry)
        elif entry.size in POINTER_SIZES and len(small) < MOST_POINTERS_LOOKED_AT:
            small.append(entry)
        if not _is_plain(entry.path):
            names.append(entry.path)
    _check_sizes(what, files, total)
    _check_names(names)
    _check_pointers(pointers_of(small) if has_attributes and small else [])
    return submodules


def _check_sizes(what: str, files: int, total: int) -> None:
    if files == 0:
        raise InvalidInput(
            f"{what} has no files.",
            hint="Add some: git add . && git commit" if what == COMMIT else "Pack the app's folder once more.",
            code="empty_tree",
        )
    if total > LARGEST_TREE:
        size = f"{total / 1024**3:.1f} GB of files; at most {LARGEST_TREE // 1024**3} GB are accepted."
        raise InvalidInput(f"{what} has {size}", hint=LEAVE_OUT, code="too_large")


def _check_names(paths: list[bytes]) -> None:
    if paths:
        raise InvalidInput(
            f"file names have to be UTF-8 without control characters: {named(paths)}.", hint="Rename with: git mv", code="bad_file_name"
        )


def _check_pointers(paths: list[bytes]) -> None:
    if paths:
        hint = "Put the files into git itself: git lfs migrate export --include='*' --everything"
        raise InvalidInput(f"Git LFS is not served here, only its pointers were pushed: {named(paths)}.", hint=hint, code="lfs_pointer")


LEAVE_OUT = "Leave out what is installed or built, with a .gitignore and git rm -r --cached."


def _is_plain(path: bytes) -> bool:
    try:
        return not CONTROL.search(path.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def named(paths: Sequence[bytes]) -> str:
    """The first of them for a message, printable."""
    shown = ", ".join(ascii(path.decode("utf-8", "surrogateescape"))[1:-1].replace("\\udc", "\\x")[:80] for path in paths[:NAMED])
    return shown + (f" and {len(paths) - NAMED} more" if len(paths) > NAMED else "")
