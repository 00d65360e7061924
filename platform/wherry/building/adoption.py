"""Makes an image from a registry an app's own: fetched, told apart from others by our labels, kept while a release needs it."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from wherry.building import dockerfile
from wherry.building.builder import Built, Fetched, Line, Login
from wherry.building.buildkit import BuildKit
from wherry.building.context import Context
from wherry.building.failure import refuse, shown
from wherry.building.progress import Progress
from wherry.building.registry_failure import explained, unreachable
from wherry.building.solve import Image, PullFailed, Solve, SolveFailed
from wherry.building.stack import APP, OWNER
from wherry.errors import DeployFailed, Forbidden, NotFound, WherryError
from wherry.model.origin import ImageName
from wherry.model.process import WEB
from wherry.settings import Settings

SAY_EVERY = 5.0
CHUNK = 256 * 1024
DIGEST = "wherry.digest"


class Adoption:
    """The half of a Builder that takes images as they are. Safe to share between threads."""

    def __init__(self, settings: Settings, engine: BuildKit) -> None:
        self._settings, self._engine = settings, engine

    def fetch(self, name: ImageName, login: Login | None, line: Line, cancelled: Callable[[], bool] = lambda: False) -> Fetched:
        """See Builder."""
        before = self._engine.image(name.text)
        if not name.server:
            line(f"-----> Taking {name.shown} from this machine")
            return _of_this_machine(name, before, line)
        line(f"-----> Fetching {name.text} from {name.server}")
        began = time.monotonic()
        told = _Told(line)
        try:
            with closing(self._engine.pull(name.text, (login.user, login.password.reveal()) if login else None)) as messages:
                for message in messages:
                    told.see(message)
                    if cancelled():
                        raise refuse("the operation was cancelled", code="cancelled")
        except PullFailed as error:
            failure = explained(name, str(error), login.user if login else "")
            if failure.code == "wrong_architecture":
                raise failure from error
            if before is None:
                failure.hint = f"{failure.hint} This machine has no image of that name either."
                raise failure from error
            line(f" !     {failure.message}; what this machine has of that name is taken")
            return _of_this_machine(name, before, line)
        image = self._engine.image(name.text)
        if image is None:
            raise refuse(f"{name.text} was fetched and is gone", "Try again.", code="image_gone")
        digest = name.digest or _digest(name, image)
        line(f"       {digest[:19]}, {image.size / 1e6:.0f} MB in {time.monotonic() - began:.1f} s")
        return Fetched(name, image.id, digest, brought=before is None)

    def load(self, name: ImageName, archive: Path, line: Line, cancelled: Callable[[], bool] = lambda: False) -> Fetched:
        """See Builder."""
        began = time.monotonic()
        try:
            self._engine.load_archive(_pieces(archive, cancelled))
        except PullFailed as error:
            evidence = (shown(str(error), 300),)
            hint = "Save it once more, and look whether it came whole."
            raise refuse("the engine does not take the image", hint, code="archive_unreadable", evidence=evidence) from error
        image = self._engine.image(name.text)
        if image is None:
            raise refuse("the image was loaded and is gone", "Try again.", code="image_gone")
        try:
            _check_not_ours(image, "the image")
        except DeployFailed:
            self._engine.untag(name.text)
            raise
        line(f"       {image.id[:19]}, {image.size / 1e6:.0f} MB in {time.monotonic() - began:.1f} s")
        return Fetched(name, image.id, image.id)

    def adopt(self, app: str, fetched: Fetched, line: Line) -> Built:
        """See Builder. A build of one line gives it our labels; its layers are shared with what was fetched."""
        image = self._engine.image(fetched.image)
        if image is None:
            raise refuse(f"{fetched.name.text} was fetched and is gone", "Try again.", code="image_gone")
        dockerfile.check(image, None, self._engine.architecture())
        own = self._labelled(app, fetched)
        return Built(
            image=own.id,
            buildpack="image",
            size=own.size,
            processes={WEB: ""},
            root=own.user.partition(":")[0] in ("", "root", "0"),
            port=own.ports[0] if len(own.ports) == 1 else None,
        )

    def let_go(self, fetched: Fetched) -> None:
        """See Builder. What others had under this name is not ours to remove."""
        if fetched.brought:
            self._engine.untag(fetched.name.text)

    def check_login(self, server: str, login: Login) -> None:
        """See Builder."""
        try:
            self._engine.login(server, login.user, login.password.reveal())
        except PullFailed as error:
            raise explained_login(server, str(error)) from error

    def _labelled(self, app: str, fetched: Fetched) -> Image:
        short = fetched.digest.removeprefix("sha256:")[:12]
        temporary = f"{self._settings.name}/{app}:fetched-{uuid.uuid4().hex[:12]}"
        self._engine.tag(fetched.image, temporary)
        try:
            context = Context()
            context.add_text("Dockerfile", f"FROM {temporary}\n".encode())
            labels = {OWNER: self._settings.name, APP: app, DIGEST: fetched.digest}
            wish = Solve(context.stream(), f"{self._settings.name}/{app}:{short}", labels=labels)
            progress = Progress(lambda _: None, time.monotonic)
            made = self._engine.image(self._engine.solve(wish, progress.see, progress.tick, lambda: False, 300.0))
        except SolveFailed as error:
            raise refuse(f"{fetched.name.text} can not be taken", code="build_failed", evidence=(shown(str(error), 300),)) from error
        finally:
            self._engine.untag(temporary)
        if made is None:
            raise refuse(f"{fetched.name.text} was fetched and is gone", "Try again.", code="image_gone")
        return made


def _of_this_machine(name: ImageName, image: Image | None, line: Line) -> Fetched:
    """An image that was built or loaded here. What Wherry made of another app's source is that app's own, with what is in it."""
    if image is None:
        hint = "docker images shows those that there are; their name does as well, e.g. shop:v1"
        raise NotFound(f"this machine has no {name.shown}", hint=hint, code="no_such_image")
    _check_not_ours(image, name.shown)
    made = f", made {image.made[:16].replace('T', ' ')} UTC" if image.made else ""
    line(f"       {image.id[:19]}, {image.size / 1e6:.0f} MB{made}")
    return Fetched(name, image.id, _digest(name, image) if name.server else image.id, brought=False)


def _check_not_ours(image: Image, what: str) -> None:
    if image.labels.get(APP):
        message = f"{what} was made by Wherry for the app {shown(image.labels[APP])}"
        raise refuse(message, "Go back to it with wherry rollback APP, or copy the app: wherry apps:clone APP NEW", code="image_of_app")


def _pieces(archive: Path, cancelled: Callable[[], bool]) -> Iterator[bytes]:
    with archive.open("rb") as file:
        while data := file.read(CHUNK):
            if cancelled():
                raise refuse("the operation was cancelled", code="cancelled")
            yield data


class _Told:
    """How far a fetch is, said every few seconds."""

    def __init__(self, line: Line) -> None:
        self._line, self._next = line, time.monotonic() + SAY_EVERY
        self._layers: dict[str, tuple[int, int]] = {}

    def see(self, message: dict[str, object]) -> None:
        detail = message.get("progressDetail")
        if message.get("status") == "Downloading" and isinstance(detail, dict) and detail:
            self._layers[str(message.get("id"))] = (int(detail.get("current", 0)), int(detail.get("total", 0)))
        if time.monotonic() >= self._next and self._layers:
            self._next = time.monotonic() + SAY_EVERY
            done, total = (sum(part[place] for part in self._layers.values()) / 1e6 for place in (0, 1))
            self._line(f"       {done:.0f} of {total:.0f} MB")


def _digest(name: ImageName, image: Image) -> str:
    """What the registry calls this image; the engine's own id where it does not say."""
    return next((text.rpartition("@")[2] for text in image.digests if text.rpartition("@")[0].endswith(name.name)), image.id)


def explained_login(server: str, message: str) -> WherryError:
    if re.search(r"unauthorized|denied|incorrect|401|403", message):
        hint = "Many registries take a token as password."
        return Forbidden(f"{server} refuses this user and password", hint=hint, code="registry_refused")
    return unreachable(server, message)
