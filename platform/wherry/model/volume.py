"""A volume: a named disk of an app's that outlives its instances; and a mount: where which processes see it.

Volumes are named and never paths of the host: a path would let a deployer read the machine, and move with nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wherry.errors import Conflict, InvalidInput
from wherry.model.process import TYPE_FORM

MAX_VOLUMES = 20
MAX_PATH = 200
FORBIDDEN = frozenset(
    ["/", "/app", "/bin", "/boot", "/etc", "/home", "/lib", "/lib64", "/opt", "/root", "/run", "/sbin", "/srv", "/tmp", "/usr", "/var"]
)
"""Whole folders that an image needs for itself; what is below them may be mounted."""
KERNEL = ("/proc", "/sys", "/dev", "/run/docker.sock", "/var/run/docker.sock")
"""Not even below these."""


@dataclass(frozen=True)
class Volume:
    """`source` is its name at the container engine. Unless `shared`, one instance at a time may write to it. `size` is in
    bytes as of `measured_at`, None before it was measured."""

    id: int
    app_id: int
    name: str
    source: str
    created_at: str
    created_by: str
    shared: bool = False
    size: int | None = None
    measured_at: str | None = None


@dataclass(frozen=True)
class Mount:
    """The volume of that name at `path` in instances of `types` (none named: in all)."""

    volume: str
    path: str
    read_only: bool = False
    types: tuple[str, ...] = ()

    def serves(self, process_type: str) -> bool:
        return not self.types or process_type in self.types

    def meets(self, other: Mount) -> bool:
        """Whether some process type would get both."""
        return not self.types or not other.types or bool(set(self.types) & set(other.types))


def mounts_to_json(mounts: Iterable[Mount]) -> list[dict[str, Any]]:
    return [asdict(mount) for mount in mounts]


def mounts_from_json(documents: Iterable[dict[str, Any]]) -> tuple[Mount, ...]:
    return tuple(Mount(**{**document, "types": tuple(document["types"])}) for document in documents)


def check_name(name: str) -> str:
    """Returns `name` when it is a volume name; raises InvalidInput with the allowed form and an example."""
    if name.startswith(("/", ".", "~")):
        raise InvalidInput(
            f"{_shown(name)} is a path of the host: volumes have names here, e.g. wherry storage:create shop uploads",
            hint="Then mount it: wherry storage:mount shop uploads:/app/uploads",
            field="volume",
            code="host_path",
        )
    if not re.fullmatch(r"[a-z]([0-9a-z-]{0,28}[0-9a-z])?", name):
        raise InvalidInput(
            f'volume name {_shown(name)}: give 1-30 of a-z, 0-9 and "-", starting with a letter, e.g. uploads', field="volume"
        )
    return name


def parse_mount(text: str) -> tuple[str, str]:
    """Reads `uploads:/app/uploads`, Dokku's form with a name for the host's path. Raises InvalidInput."""
    name, colon, path = text.partition(":")
    if text.startswith("/") and not colon:
        raise InvalidInput(f"{_shown(text)}: name the volume too, e.g. uploads:{_plain(text)}", field="mount")
    check_name(name)
    if path.endswith((":ro", ":rw")):
        raise InvalidInput(f"{_shown(text)}: say --read-only instead of :ro, e.g. {name}:{_plain(path[:-3])} --read-only", field="mount")
    if not colon or not path:
        raise InvalidInput(f"{_shown(text)}: say where it goes, e.g. {name}:/app/{name}", field="mount")
    return name, check_path(path)


def check_path(path: str) -> str:
    """Returns the path in the container without a last slash. Raises InvalidInput with the allowed form and an example."""
    plain = path.rstrip("/") if path.strip("/") else "/"
    parts = plain.split("/")
    if not plain.startswith("/") or not re.fullmatch(r"[0-9A-Za-z/._@+-]+", plain) or {".", ".."} & set(parts) or "" in parts[1:-1]:
        raise InvalidInput(f"path {_shown(path)}: give an absolute path in the container, e.g. /app/uploads", field="path")
    if len(plain) > MAX_PATH:
        raise InvalidInput(f"path of {len(plain)} characters: up to {MAX_PATH} are taken, e.g. /app/uploads", field="path")
    if plain in FORBIDDEN or any(plain == place or plain.startswith(f"{place}/") for place in KERNEL):
        raise InvalidInput(f"path {_shown(plain)} is the container's own: give another folder, e.g. /app/uploads", field="path")
    return plain


def check_types(types: Sequence[str]) -> tuple[str, ...]:
    """Raises InvalidInput for what no Procfile could name."""
    for name in types:
        if not re.fullmatch(TYPE_FORM, name):
            raise InvalidInput(f"process type {_shown(name)}: give names from your Procfile, e.g. web,worker", field="types")
    return tuple(sorted(set(types)))


def with_mount(mounts: tuple[Mount, ...], wished: Mount) -> tuple[Mount, ...]:
    """The mounts with `wished` among them. The same volume at the same path, for no more processes than `wished`, is
    changed. Raises Conflict when anything else is at that path, above or below it, in the same processes."""
    rest = tuple(mount for mount in mounts if not _covers(wished, mount))
    for mount in rest:
        if mount.meets(wished) and _nested(mount.path, wished.path):
            where = f"in {', '.join(mount.types)}" if mount.types else "in all processes"
            hint = f"Give another path, or take it away there first: wherry storage:unmount APP {mount.volume}"
            raise Conflict(f"{mount.volume} is mounted at {mount.path} {where}", hint=hint, code="path_taken")
    return tuple(sorted((*rest, wished), key=lambda mount: (mount.path, mount.read_only, mount.types)))


def _covers(wished: Mount, mount: Mount) -> bool:
    same = (mount.volume, mount.path) == (wished.volume, wished.path)
    return same and (not wished.types or (bool(mount.types) and set(mount.types) <= set(wished.types)))


def without_mounts(mounts: tuple[Mount, ...], volume: str, path: str = "") -> tuple[Mount, ...]:
    """The mounts without those of `volume`, at `path` or anywhere."""
    return tuple(mount for mount in mounts if mount.volume != volume or path not in ("", mount.path))


def mounts_words(before: Iterable[Mount], after: Iterable[Mount]) -> str:
    """`Mount uploads at /app/uploads`, `Unmount uploads from /app/uploads`: what a release says of the change."""
    old, new = set(before), set(after)
    added = [f"{mount.volume} at {mount.path}{_how(mount)}" for mount in after if mount not in old]
    gone = [f"{mount.volume} from {mount.path}" for mount in before if mount not in new]
    return f"Mount {', '.join(added)}" if added else f"Unmount {', '.join(gone)}" if gone else "Keep mounts"


def _how(mount: Mount) -> str:
    where = f" in {', '.join(mount.types)}" if mount.types else ""
    return f"{where}, read-only" if mount.read_only else where


def check_writers(app: str, mounts: Iterable[Mount], shared: set[str], quantities: dict[str, int]) -> None:
    """Raises Conflict when a volume that one instance at a time may write to would be written to by several."""
    for volume in sorted({mount.volume for mount in mounts if not mount.read_only} - shared):
        writers = {name: count for name, count in quantities.items() if count and volume in written_by(mounts, name)}
        if sum(writers.values()) > 1:
            one = "Let one of them write (--types, --read-only)" if len(writers) > 1 else "Run one"
            raise Conflict(
                f"{volume} is written to by one instance at a time, and these would: {_instances(writers)}",
                hint=f"{one}, or share the volume if the app can: wherry storage:share {app} {volume}",
                code="one_writer",
            )


def written_by(mounts: Iterable[Mount], process_type: str) -> set[str]:
    return {mount.volume for mount in mounts if mount.serves(process_type) and not mount.read_only}


def _instances(writers: dict[str, int]) -> str:
    return ", ".join(f"{name}={count}" for name, count in writers.items())


def _nested(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _plain(text: str) -> str:
    return ascii(text[:60])[1:-1]


def _shown(text: str) -> str:
    return f'"{_plain(text)}"'
