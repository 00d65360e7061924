"""Takes one image out of the tar that `docker image save` writes, and packs it anew under a name of our own.

An engine gives a loaded image every name that its archive has, and takes these from whatever had them. So it is never given an
archive of somebody else's, only the config and the layers of the image that was meant.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import posixpath
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from wherry.errors import InvalidInput, NotFound, WherryError
from wherry.model.origin import familiar
from wherry.receiving import packed

MANIFEST, CONFIG = "manifest.json", "config.json"
MOST_TEXT = 8 * 2**20
"""Bytes of a manifest or a config."""
MOST_LAYERS = 200
HINT = "Write it with docker image save NAME:TAG."


@dataclass(frozen=True)
class Saved:
    """`digest` is SHA-256 of the image's config, which names its layers by their content; `size` is that of the layers in bytes."""

    digest: str
    layers: int
    size: int


@dataclass(frozen=True)
class _Parts:
    """Where the archive has the image's config and its layers, from the ground up."""

    config: str
    layers: tuple[str, ...]

    def new_name(self, name: str) -> str:
        return CONFIG if name == self.config else f"layer-{self.layers.index(name)}.tar"


def convert(path: Path, target: Path, wanted: str, name_of: Callable[[str], str], limit: int) -> Saved:
    """Writes the image that the archive at `path` has as `wanted`, a name with its tag, as an archive at `target`, a new file;
    `name_of` is given the digest and says what it is called there. `limit` is the most bytes that all files may have together.
    Raises InvalidInput, and NotFound when it has no such image."""
    with packed.told():
        parts = _found(*_looked_at(path, limit), wanted)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        try:
            with os.fdopen(descriptor, "wb") as file:
                return _written(path, file, parts, name_of)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _looked_at(path: Path, limit: int) -> tuple[Any, dict[str, str]]:
    """The manifest, and where each file of the archive, or link to one, has its content."""
    manifest: Any = None
    places: dict[str, str] = {}
    total = 0
    for entry in packed.entries(path):
        total += entry.size
        if total > limit or len(places) >= packed.MOST_ENTRIES:
            raise InvalidInput(f"its files have more than {limit // 2**20} MB together, or are too many", code="too_large")
        if entry.kind == tarfile.REGTYPE:
            places[entry.name] = entry.name
        elif entry.kind == tarfile.SYMTYPE:
            reached = posixpath.normpath(posixpath.join(posixpath.dirname(entry.name), entry.target))
            places[entry.name] = reached if reached != entry.name else ""
        if entry.name == MANIFEST and entry.data is not None:
            manifest = _json(entry, MANIFEST)
    if manifest is None:
        raise _bad(f"it holds no {MANIFEST}, so it is no image that docker saved")
    return manifest, places


def _found(manifest: Any, places: Mapping[str, str], wanted: str) -> _Parts:
    """Raises for an archive with another name in it than `wanted`: whoever sends that means something else."""
    images = manifest if isinstance(manifest, list) and all(isinstance(entry, dict) for entry in manifest) else []
    named = [(str(tag), entry) for entry in images for tag in _tags(entry)]
    meant = next((entry for tag, entry in named if familiar(tag) == familiar(wanted)), None)
    others = sorted({_shown(tag) for tag, _ in named if familiar(tag) != familiar(wanted)})
    if meant is None:
        held = f"it holds {', '.join(others[:5])}" if others else "what it holds has no name"
        raise NotFound(f"the archive has no image {wanted}: {held}", hint=f"Save that: docker image save {wanted}", code="no_such_image")
    if others or len(images) > 1:
        raise InvalidInput(
            f"it holds other images than {wanted} too: {', '.join(others[:5]) or 'one without a name'}",
            hint=f"Save that alone: docker image save {wanted}",
            code="archive_unreadable",
        )
    return _parts(meant, places)


def _tags(entry: Mapping[str, Any]) -> list[Any]:
    tags = entry.get("RepoTags")
    return tags if isinstance(tags, list) else []


def _parts(entry: Mapping[str, Any], places: Mapping[str, str]) -> _Parts:
    config, layers = entry.get("Config"), entry.get("Layers") or []
    if not isinstance(layers, list) or len(layers) > MOST_LAYERS:
        raise _bad(f"its {MANIFEST} names no list of up to {MOST_LAYERS} layers")
    named = [places.get(posixpath.normpath(name)) if isinstance(name, str) else None for name in (config, *layers)]
    if not all(name is not None and places.get(name) == name for name in named):
        raise _bad(f"its {MANIFEST} names files that are not in it")
    found, *below = (str(name) for name in named)
    if found in below:
        raise _bad(f"its {MANIFEST} names one file as config and as layer")
    return _Parts(found, tuple(below))


def _written(path: Path, file: IO[bytes], parts: _Parts, name_of: Callable[[str], str]) -> Saved:
    digest, size, written = "", 0, set[str]()
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for entry in packed.entries(path):
            if entry.data is None or entry.name in written or entry.name not in (parts.config, *parts.layers):
                continue
            written.add(entry.name)
            data: IO[bytes] = entry.data
            if entry.name == parts.config:
                text = _text(entry, "the image's config")
                digest, data = hashlib.sha256(text).hexdigest(), io.BytesIO(text)
            else:
                size += entry.size
            _add(tar, parts.new_name(entry.name), data, entry.size)
        names = [parts.new_name(name) for name in parts.layers]
        told = json.dumps([{"Config": CONFIG, "RepoTags": [name_of(digest)], "Layers": names}]).encode()
        _add(tar, MANIFEST, io.BytesIO(told), len(told))
    file.flush()
    os.fsync(file.fileno())
    return Saved(digest, len(parts.layers), size)


def _add(tar: tarfile.TarFile, name: str, data: IO[bytes], size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    tar.addfile(info, data)


def _json(entry: packed.Entry, what: str) -> Any:
    try:
        return json.loads(_text(entry, what))
    except (ValueError, RecursionError) as error:
        raise _bad(f"its {what} is no JSON") from error


def _text(entry: packed.Entry, what: str) -> bytes:
    if entry.data is None or entry.size > MOST_TEXT:
        raise _bad(f"{what} has more than {MOST_TEXT // 2**20} MB")
    return entry.data.read(entry.size)


def _shown(tag: str) -> str:
    return ascii(tag[:80])[1:-1]


def _bad(message: str) -> WherryError:
    return InvalidInput(message, hint=HINT, code="archive_unreadable")
