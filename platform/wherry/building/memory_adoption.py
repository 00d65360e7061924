"""The half of a Builder that takes images from registries, without a registry: for tests of those who need one."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

from wherry.building.builder import Built, Fetched, Line, Login
from wherry.errors import Forbidden, NotFound
from wherry.model.origin import ImageName
from wherry.model.process import WEB


class MemoryAdoption:
    """`registry` maps an image's full name to the image that it is; `doors` the servers that ask for a login to what they let in;
    `saved` is what the images in archives are, `machine` the names and ids of images that are on this machine alone to what they are."""

    saved = "good"

    def __init__(self) -> None:
        self.registry: dict[str, str] = {}
        self.doors: dict[str, tuple[str, str]] = {}
        self.machine: dict[str, str] = {}

    def fetch(self, name: ImageName, login: Login | None, line: Line, cancelled: Callable[[], bool] = lambda: False) -> Fetched:
        """See Builder."""
        if name.text in self.machine and name.text not in self.registry:
            line(f"-----> Taking {name.shown} from this machine")
            return _fetched(name, self.machine[name.text], brought=False)
        line(f"-----> Fetching {name.text} from {name.server}")
        if name.server in self.doors and not self._lets_in(name.server, login):
            raise Forbidden(f"{name.server} does not give us {name.text}", code="registry_refused")
        if name.text not in self.registry:
            raise NotFound(f"{name.server} has no image {name.text}", hint="Check its name and tag.", code="no_such_image")
        return _fetched(name, self.registry[name.text], brought=True)

    def load(self, name: ImageName, archive: Path, line: Line, cancelled: Callable[[], bool] = lambda: False) -> Fetched:
        """See Builder."""
        with tarfile.open(archive) as tar:
            file = tar.extractfile("manifest.json")
            assert file and [entry["RepoTags"] for entry in json.loads(file.read())] == [[name.text]]
        line(f"       {self.saved}")
        return _fetched(name, self.saved, brought=True)

    def adopt(self, app: str, fetched: Fetched, line: Line) -> Built:
        """See Builder."""
        return Built(image=fetched.image, buildpack="image", size=1, processes={WEB: ""}, root=True)

    def let_go(self, fetched: Fetched) -> None:
        """See Builder. Nothing was brought."""

    def check_login(self, server: str, login: Login) -> None:
        """See Builder."""
        if not self._lets_in(server, login):
            raise Forbidden(f"{server} refuses this user and password", code="registry_refused")

    def _lets_in(self, server: str, login: Login | None) -> bool:
        return login is not None and self.doors.get(server) == (login.user, login.password.reveal())


def _fetched(name: ImageName, image: str, *, brought: bool) -> Fetched:
    return Fetched(name, image, name.digest or f"sha256:{hashlib.sha256(image.encode()).hexdigest()}", brought)
