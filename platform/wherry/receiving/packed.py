"""Turns an uploaded archive (tar, tar.gz, zip) into the spool's plain tar, entry by entry; nothing of it is ever unpacked.

It is read twice: first every name, kind and size is looked at, then, when nothing is wrong, the bytes are copied. A single
folder around everything, as GitHub's archives have it, is taken off.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wherry.errors import InvalidInput
from wherry.receiving import tree

MOST_ENTRIES = 200_000
DEEPEST = 100
LONGEST = 1000
CHUNK = 256 * 1024
LINK = 4096
"""The longest target of a symbolic link."""
IGNORED = "__MACOSX"
"""What a Mac puts beside the folder that was packed."""
POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class Entry:
    """One file, folder or link as it will be in the tar. `data` is open only while the entry is the current one."""

    name: str
    kind: bytes
    size: int = 0
    executable: bool = False
    target: str = ""
    mtime: int = 0
    data: IO[bytes] | None = None


@dataclass(frozen=True)
class Converted:
    """`digest` is SHA-256 over names, kinds and contents: equal for equal trees, however they were packed."""

    digest: str
    files: int
    size: int


def convert(path: Path, target: Path, limit: int) -> Converted:
    """Writes the archive at `path` as a tar at `target`, a new file. `limit` is the most bytes that its files may have
    together. Raises InvalidInput, in plain words, for what is no archive and for what may not be in one."""
    with told():
        prefix = _looked_at(path, limit)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        try:
            with os.fdopen(descriptor, "wb") as file:
                made = _written(path, file, prefix, limit)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return made


def _looked_at(path: Path, limit: int) -> str:
    """Returns the folder around everything, with its slash, or nothing. Raises InvalidInput for what is in the way."""
    kinds: dict[str, bytes] = {}
    found: list[tree.Entry] = []
    pointers: set[bytes] = set()
    total = 0
    for entry in entries(path):
        _check(entry, kinds)
        kinds[entry.name] = entry.kind
        for depth in range(1, entry.name.count("/") + 1):
            kinds.setdefault(entry.name.rsplit("/", depth)[0], tarfile.DIRTYPE)
        total += entry.size
        if total > limit:
            raise InvalidInput(f"its files have more than {limit // 2**20} MB together", hint=tree.LEAVE_OUT, code="too_large")
        if entry.kind == tarfile.REGTYPE:
            name = entry.name.encode("utf-8", "surrogateescape")
            found.append(tree.Entry("100644", "", entry.size, name))
            if entry.data is not None and entry.size in tree.POINTER_SIZES and entry.data.read(len(POINTER)) == POINTER:
                pointers.add(name)
    tree.check(found, lambda small: [one.path for one in small if one.path in pointers], "it")
    return _prefix(kinds)


def _check(entry: Entry, kinds: dict[str, bytes]) -> None:
    shown = ascii(entry.name[:80])[1:-1]
    parts = entry.name.split("/")
    if len(kinds) >= MOST_ENTRIES:
        raise InvalidInput(f"it has more than {MOST_ENTRIES:,} entries", hint=tree.LEAVE_OUT, code="too_many_files")
    if entry.name.startswith("/") or ".." in parts or "\0" in entry.name or len(entry.name) > LONGEST or len(parts) > DEEPEST:
        raise _bad(f"it holds the path {shown}, which leaves its folder or is too long")
    if entry.kind not in (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE):
        raise _bad(f"{shown} is a device, a pipe or a hard link; only files, folders and symbolic links are taken")
    if any(kinds.get("/".join(parts[:depth]), tarfile.DIRTYPE) != tarfile.DIRTYPE for depth in range(1, len(parts))):
        raise _bad(f"{shown} lies in something that is not a folder")
    if kinds.get(entry.name, entry.kind) != entry.kind:
        raise _bad(f"{shown} is there twice, as two kinds of thing")
    _check_link(entry, entry.name)


def _check_link(entry: Entry, name: str) -> None:
    """A link under `name` stays inside. It is asked again once the folder around everything is gone."""
    if entry.kind != tarfile.SYMTYPE:
        return
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(name), entry.target))
    if not entry.target or entry.target.startswith("/") or reached == ".." or reached.startswith("../"):
        raise _bad(f"{ascii(name[:80])[1:-1]} is a link to {ascii(entry.target[:80])[1:-1]}, which leaves the app's folder")


def _prefix(kinds: dict[str, bytes]) -> str:
    tops = {name.partition("/")[0] for name in kinds}
    if len(tops) != 1:
        return ""
    (top,) = tops
    inside = any("/" in name for name in kinds)
    return f"{top}/" if inside and kinds.get(top, tarfile.DIRTYPE) == tarfile.DIRTYPE else ""


def _written(path: Path, file: IO[bytes], prefix: str, limit: int) -> Converted:
    facts: dict[str, bytes] = {}
    size = files = 0
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape") as tar:
        for entry in entries(path):
            name = entry.name.removeprefix(prefix)
            if entry.name == prefix.rstrip("/") or not name:
                continue
            _check_link(entry, name)
            content = _Counted(entry.data, limit - size) if entry.data is not None else None
            tar.addfile(_header(entry, name), content)  # type: ignore[arg-type]
            facts[name] = b"|".join([entry.kind, b"x" * entry.executable, entry.target.encode(), content.digest if content else b""])
            files += entry.kind == tarfile.REGTYPE
            size += entry.size
    told = b"\0".join(name.encode("utf-8", "surrogateescape") + b"\0" + facts[name] for name in sorted(facts))
    return Converted(hashlib.sha256(told).hexdigest(), files, size)


def _header(entry: Entry, name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = entry.kind, entry.size, entry.target
    info.mode = 0o755 if entry.executable or entry.kind == tarfile.DIRTYPE else 0o644
    info.mtime = min(max(entry.mtime, 0), 2**33 - 1)
    return info


class _Counted:
    """What is read from it is hashed; more than was promised is an end."""

    def __init__(self, data: IO[bytes], left: int) -> None:
        self._data, self._left, self._hash = data, left, hashlib.sha256()

    def read(self, size: int) -> bytes:
        found = self._data.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise InvalidInput("its files are larger than it says", code="archive_unreadable")
        self._hash.update(found)
        return found

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


def entries(path: Path) -> Iterator[Entry]:
    """Everything in the archive, in its own order. Raises InvalidInput when it is none of tar, tar.gz and zip."""
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_zip(path)
    if start.startswith(b"\x1f\x8b"):
        return _of_tar(path, "r|gz")
    if start[257:262] == b"ustar" or (len(start) == 512 and start[:1] not in (b"\0", b"<", b"{")):
        return _of_tar(path, "r|")
    raise _bad("it is neither a tar, a tar.gz nor a zip")


def _of_tar(path: Path, mode: str) -> Iterator[Entry]:
    with tarfile.open(path, mode, encoding="utf-8", errors="surrogateescape") as tar:  # type: ignore[call-overload]
        for member in tar:
            tar.members = []
            name = _clean(member.name)
            if name and not name.startswith(IGNORED):
                yield _of_member(tar, member, name)


def _of_member(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> Entry:
    if member.isreg() and not member.issparse():
        return Entry(name, tarfile.REGTYPE, member.size, bool(member.mode & 0o100), "", int(member.mtime), tar.extractfile(member))
    kind = tarfile.SYMTYPE if member.issym() else tarfile.DIRTYPE if member.isdir() else tarfile.CHRTYPE
    return Entry(name, kind, target=member.linkname if member.issym() else "", mtime=int(member.mtime))


def _of_zip(path: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(path) as packed:
        if len(packed.infolist()) > MOST_ENTRIES:
            raise InvalidInput(f"it has more than {MOST_ENTRIES:,} entries", hint=tree.LEAVE_OUT, code="too_many_files")
        for info in packed.infolist():
            name = _clean(info.filename)
            if name and not name.startswith(IGNORED):
                yield from _of_info(packed, info, name)


def _of_info(packed: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Iterator[Entry]:
    mode = info.external_attr >> 16 if info.create_system == 3 else 0
    if info.flag_bits & 0x1:
        raise _bad(f"{ascii(name[:80])[1:-1]} is encrypted")
    if info.is_dir():
        yield Entry(name, tarfile.DIRTYPE)
    elif stat.S_ISLNK(mode):
        with packed.open(info) as data:
            yield Entry(name, tarfile.SYMTYPE, target=data.read(LINK).decode("utf-8", "surrogateescape"))
    elif mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        yield Entry(name, tarfile.CHRTYPE)
    else:
        with packed.open(info) as data:
            yield Entry(name, tarfile.REGTYPE, info.file_size, bool(mode & 0o100), "", 0, data)


def _clean(name: str) -> str:
    """Without `./` and a slash at its end; what leaves the folder stays as it is, to be refused."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return ("/" if name.startswith("/") else "") + "/".join(parts)


@contextmanager
def told() -> Iterator[None]:
    """What the readers say of a broken archive becomes an InvalidInput in our words."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(f"the archive can not be taken: {error.message}", hint=error.hint, code=error.code) from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        why = ascii((str(error) or type(error).__name__)[:120])[1:-1]
        hint = "Is it whole? Pack it once more."
        raise InvalidInput(f"the archive can not be read: {why}", hint=hint, code="archive_unreadable") from error


def _bad(message: str) -> InvalidInput:
    return InvalidInput(message, code="archive_unreadable")
