"""Named volumes at Docker: made with our labels, and handed to the user whom the image runs as.

Docker makes a volume root's own, where an image of another user can not write. The folder is handed over in a container
that was created and not started, so the image needs no program for it; only files of an earlier user need its `chown`.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wherry.errors import Conflict, DeployFailed
from wherry.running import labels
from wherry.running.docker_client import translated
from wherry.running.engine import InstanceSpec, VolumeMount

HAND_OVER_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER"]
HAND_OVER_MEMORY = "64m"
LONGEST_PASSWD = 1024 * 1024


@dataclass(frozen=True)
class Folder:
    """The mounted folder as the container sees it."""

    uid: int
    mode: int
    empty: bool


class Volumes:
    """The volumes of one platform; `api` is docker-py's low-level client."""

    def __init__(self, platform: str, api: Any) -> None:
        self.platform = platform
        self._api = api
        self._users: dict[str, tuple[int, int]] = {}
        self._handed: set[tuple[str, int]] = set()

    def mounted(self, spec: InstanceSpec) -> dict[str, Any]:
        """Makes what is absent; answers with keyword arguments for docker-py's `create_host_config`."""
        for mount in spec.mounts:
            marked = {labels.PLATFORM: self.platform, labels.APP: spec.app, labels.VOLUME: mount.name}
            self._api.create_volume(mount.source, driver="local", labels=marked)
        found = [{"Type": "volume", "Source": one.source, "Target": one.path, "ReadOnly": one.read_only} for one in spec.mounts]
        return {"mounts": found} if found else {}

    def hand_over(self, container: str, spec: InstanceSpec) -> None:
        """Makes the image's user the owner of what the container may write to. Nothing is done for images that run as
        root, and once per volume and user in the engine's life. Raises DeployFailed when files of an earlier user stay."""
        writable = [mount for mount in spec.mounts if not mount.read_only]
        if not writable:
            return
        uid, gid = self._user(container, spec.image)
        for mount in writable:
            if uid and (mount.source, uid) not in self._handed:
                self._give(container, spec, mount, uid, gid)
                self._handed.add((mount.source, uid))

    def _give(self, container: str, spec: InstanceSpec, mount: VolumeMount, uid: int, gid: int) -> None:
        folder = self._folder(container, mount.path)
        if folder.uid == uid:
            return
        if folder.empty:
            self._put_owner(container, mount.path, folder.mode, uid, gid)
        else:
            self._give_all(spec, mount, folder.uid, uid, gid)

    def _put_owner(self, container: str, path: str, mode: int, uid: int, gid: int) -> None:
        parent, _, name = path.rpartition("/")
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, uid, gid
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
            tar.addfile(entry)
        self._api.put_archive(container, parent or "/", buffer.getvalue())

    def _give_all(self, spec: InstanceSpec, mount: VolumeMount, before: int, uid: int, gid: int) -> None:
        """The image's user is another one than that of the files: all of them change hands in a short-lived container."""
        host = self._api.create_host_config(
            network_mode="none",
            cap_drop=["ALL"],
            cap_add=HAND_OVER_CAPABILITIES,
            security_opt=["no-new-privileges"],
            mem_limit=HAND_OVER_MEMORY,
            mounts=[{"Type": "volume", "Source": mount.source, "Target": mount.path, "ReadOnly": False}],
        )
        marked = {labels.PLATFORM: self.platform, labels.APP: spec.app, labels.KIND: labels.ONE_OFF}
        words = ["-R", "-h", f"{uid}:{gid}", mount.path]
        helper = self._api.create_container(spec.image, words, user="0:0", entrypoint=["chown"], labels=marked, host_config=host)["Id"]
        try:
            self._run(helper, mount, before, uid)
        finally:
            self._api.remove_container(helper, force=True, v=True)

    def _run(self, helper: str, mount: VolumeMount, before: int, uid: int) -> None:
        from docker.errors import APIError

        try:
            self._api.start(helper)
            code = int(self._api.wait(helper)["StatusCode"])
        except APIError:
            code = 127
        if code:
            raise DeployFailed(
                f"the files in {mount.name} belong to user {before}, and this image runs as user {uid}",
                code="volume_owner",
                hint=f"The image has no chown to hand them over with: add one, or let it run as USER {before}.",
            )

    def _folder(self, container: str, path: str) -> Folder:
        """Its owner, mode, and whether anything is in it: the first two entries of its archive."""
        stream, _ = self._api.get_archive(container, path)
        try:
            with tarfile.open(fileobj=_Reader(stream), mode="r|") as tar:  # type: ignore[call-overload]
                first = tar.next()
                return Folder(first.uid, first.mode & 0o7777, tar.next() is None)
        finally:
            stream.close()

    # Who the image runs as

    def _user(self, container: str, image: str) -> tuple[int, int]:
        """uid and gid of the image's USER; (0, 0) for root, and for one that Docker will refuse by itself."""
        if image not in self._users:
            named = str(self._api.inspect_image(image)["Config"].get("User") or "0")
            self._users[image] = self._resolved(container, named)
        return self._users[image]

    def _resolved(self, container: str, named: str) -> tuple[int, int]:
        user, _, group = named.partition(":")
        rows = [] if user.isdigit() and group.isdigit() else self._rows(container, "/etc/passwd")
        row = next((row for row in rows if len(row) > 3 and user in (row[0], row[2])), None)
        uid = int(user) if user.isdigit() else int(row[2]) if row else 0
        gid = int(row[3]) if row else 0
        if group:
            found = [row for row in ([] if group.isdigit() else self._rows(container, "/etc/group")) if row[0] == group]
            gid = int(group) if group.isdigit() else int(found[0][2]) if found else gid
        return uid, gid

    def _rows(self, container: str, path: str) -> list[list[str]]:
        from docker.errors import APIError

        try:
            stream, _ = self._api.get_archive(container, path)
        except APIError:
            return []
        with tarfile.open(fileobj=io.BytesIO(_Reader(stream).read(LONGEST_PASSWD)), mode="r:") as tar:
            member = tar.next()
            file = tar.extractfile(member) if member and member.isfile() else None
            text = file.read().decode("utf-8", "replace") if file else ""
        return [row for line in text.splitlines() if len(row := line.split(":")) > 2]

    # Size and end

    def size(self, source: str) -> int | None:
        from docker.errors import APIError

        with translated():
            try:
                place = Path(self._api.inspect_volume(source)["Mountpoint"])
                return _size_of(place) if place.is_dir() else self._reported(source)
            except APIError:
                return None

    def _reported(self, source: str) -> int | None:
        """What Docker measures: for an engine that runs in a container and can not see the folder."""
        url = self._api._url("/system/df")
        found = self._api._result(self._api._get(url, params={"type": "volume"}), json=True).get("Volumes") or []
        sizes = [row["UsageData"]["Size"] for row in found if row["Name"] == source and row.get("UsageData")]
        return sizes[0] if sizes and sizes[0] >= 0 else None

    def remove(self, source: str) -> None:
        from docker.errors import APIError, NotFound

        with translated():
            try:
                self._api.remove_volume(source)
            except NotFound:
                pass
            except APIError as error:
                if error.status_code == 409:
                    raise Conflict("the volume is in use by a container", code="volume_in_use") from error
                raise
        self._handed = {known for known in self._handed if known[0] != source}


class _Reader:
    """A file of the chunks that docker-py yields."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _size_of(folder: Path) -> int:
    """Bytes on disk of all below it; what vanishes meanwhile does not count."""
    total, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total
