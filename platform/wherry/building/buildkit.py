"""The builder's door to Docker: builds with BuildKit over the engine's HTTP API, looks at images, and cleans up.

Nothing else in this room knows docker. A build needs no docker client program: a tar goes in, progress comes out line by line,
and a session answers who we are at a registry.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import queue
import sys
import tarfile
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import IO, Any

sys.modules.setdefault("docker.transport.sshconn", None)  # type: ignore[arg-type]
# It would load paramiko and cryptography: half of the memory and time of this import, for a transport that is not used.

import docker  # noqa: E402
import docker.errors  # noqa: E402
import requests  # noqa: E402

from wherry.building import trace  # noqa: E402
from wherry.building.limits import BREATH, Limits  # noqa: E402
from wherry.building.session import Logins, Session  # noqa: E402
from wherry.building.solve import Image, PullFailed, Solve, SolveFailed, SolveStopped  # noqa: E402
from wherry.errors import Unavailable  # noqa: E402
from wherry.model.disk import Layers  # noqa: E402

SOCKET = "unix:///var/run/docker.sock"
POLL = 0.1
CANCEL_GRACE = 15.0
LOOK = "Look at it: systemctl status docker"
MAX_READ = 1024 * 1024


class BuildKit:
    """One engine. Every method raises Unavailable when the engine does not answer. `platform`, such as `linux/arm64`, is what
    it builds for, when not its own: the tests prove that other processor so, under emulation. Every step of every build is held
    to `limits`. `logins` are ours at registries, for what a build fetches."""

    def __init__(self, url: str = SOCKET, platform: str = "", limits: Limits | None = None, logins: Logins = lambda _: None) -> None:
        self._url, self.platform, self.limits, self._logins = url, platform, limits, logins
        self._lock = threading.Lock()
        self._layers: dict[str, Layers] = {}
        self._root: Path | None = None
        self._shared: Any = None

    def solve(
        self,
        wish: Solve,
        see: Callable[[trace.Step | trace.Output], None],
        tick: Callable[[], None],
        cancelled: Callable[[], bool],
        timeout: float,
    ) -> str:
        """Builds, and returns the image id (`sha256:…`). Blocks; `tick` and `cancelled` are called about ten times a
        second. Raises SolveFailed, or SolveStopped once the engine has let go of a build that was to stop."""
        with self._limited():
            build_id = uuid.uuid4().hex
            messages: queue.SimpleQueue[dict[str, Any] | Exception | None] = queue.SimpleQueue()
            reader = threading.Thread(target=self._read, args=(wish, build_id, messages), name="build", daemon=True)
            reader.start()
            image, stopped, look_at = "", None, time.monotonic()
            stop_at = look_at + timeout
            while True:
                message = _next(messages)
                if isinstance(message, _End):
                    break
                if isinstance(message, dict):
                    image = _taken(message, see, failing=stopped is None) or image
                if message is not None and time.monotonic() < look_at:
                    continue  # a look takes milliseconds, and a builder that talks much is waited for
                look_at = time.monotonic() + POLL
                tick()
                if self.limits:
                    self.limits.apply()
                    time.sleep(BREATH)
                if stopped is None and (cancelled() or time.monotonic() > stop_at):
                    stopped = SolveStopped(timed_out=time.monotonic() > stop_at)
                    stop_at = time.monotonic() + CANCEL_GRACE
                    with contextlib.suppress(Unavailable):  # whether it is gone or only slow, the reader will tell
                        self.cancel(build_id)
                elif stopped is not None and time.monotonic() > stop_at:
                    break
            if stopped is not None:
                raise stopped
            return image

    @contextlib.contextmanager
    def _limited(self) -> Iterator[None]:
        """While a build runs. Those of others, in the same cgroups, are not held back after it."""
        if self.limits:
            self.limits.prepare()
        try:
            yield
        finally:
            if self.limits:
                self.limits.rest()

    def cancel(self, build_id: str) -> None:
        with _translated():
            self._api().post(self._api()._url("/build/cancel"), params={"id": build_id}, timeout=10)

    def image(self, reference: str) -> Image | None:
        """None when there is no such image on this machine."""
        with _translated():
            try:
                found = self._api().inspect_image(reference)
            except docker.errors.ImageNotFound:
                return None
        return _image(found)

    def architecture(self) -> str:
        """What images are built for and apps run on, in Docker's words, which are Debian's: amd64, arm64."""
        if self.platform:
            return self.platform.partition("/")[2]
        with _translated():
            return str(self._api().version()["Arch"])

    def root(self) -> Path:
        """The folder in which the engine keeps images, containers and its build cache. It is asked once: counting all that it has, it
        takes a tenth of a second to say that."""
        if self._root is None:
            with _translated():
                self._root = Path(self._api().info().get("DockerRootDir") or "/var/lib/docker")
        return self._root

    def registry_has(self, reference: str, timeout: float) -> bool:
        """True when the engine reaches the registry of `reference` and finds it there within `timeout` seconds."""
        api = self._api()
        try:
            answer = api.get(api._url("/distribution/{0}/json", reference), timeout=timeout)
        except requests.RequestException:
            return False
        return bool(answer.status_code == 200)

    def pull(self, reference: str, login: tuple[str, str] | None) -> Generator[dict[str, Any], None, None]:
        """Fetches an image from its registry; yields the engine's progress. To stop reading stops the fetch. Raises PullFailed."""
        auth = {"username": login[0], "password": login[1]} if login else {}
        with _translated(), self._new() as api:
            try:
                for message in api.pull(reference, auth_config=auth, stream=True, decode=True):
                    if "error" in message:
                        raise PullFailed(str(message["error"]))
                    yield message
            except docker.errors.APIError as error:
                raise PullFailed(str(error.explanation or error)) from error

    def login(self, server: str, user: str, password: str) -> None:
        """Tries a login at a registry; nothing is kept. Raises PullFailed."""
        wish = {"username": user, "password": password, "serveraddress": server}
        with _translated():
            api = self._api()
            answer = api.post(api._url("/auth"), json=wish)
            if answer.status_code != 200:
                raise PullFailed(f"{answer.status_code} {answer.json().get('message', '')}")

    def load(self, root: IO[bytes], tag: str, labels: dict[str, str]) -> str:
        """Makes an image of a root file system as a tar stream; returns its id."""
        repository, _, version = tag.rpartition(":")
        params = [("fromSrc", "-"), ("repo", repository), ("tag", version)]
        params += [("changes", f"LABEL {key}={json.dumps(value)}") for key, value in labels.items()]
        with _translated(), self._new() as api:
            answer = api.post(api._url("/images/create"), params=params, data=iter(lambda: root.read(256 * 1024), b""), timeout=None)
            api._raise_for_status(answer)
            lines = [json.loads(line) for line in answer.text.splitlines() if line.strip()]
        return str(lines[-1].get("status", "")) if lines else ""

    def load_archive(self, pieces: Iterator[bytes]) -> None:
        """Takes in an archive of images, with every name that it gives them. Raises PullFailed, and what `pieces` raises."""
        with _translated(), self._new() as api:
            answer = api.post(api._url("/images/load"), params={"quiet": "1"}, data=pieces, timeout=None)
            lines = [json.loads(line) for line in answer.text.splitlines() if line.strip()]
        told = next((str(line["error"]) for line in lines if line.get("error")), "")
        if answer.status_code != 200 or told:
            raise PullFailed(told or str(lines[-1].get("message", "")) if lines else f"HTTP {answer.status_code}")

    def tag(self, image: str, reference: str) -> None:
        repository, _, version = reference.rpartition(":")
        with _translated():
            self._api().tag(image, repository, version)

    def remove(self, image: str) -> bool:
        """Removes an image with all its tags; False when something still needs it."""
        with _translated():
            try:
                self._api().remove_image(image, force=False)
            except docker.errors.ImageNotFound:
                return True
            except docker.errors.APIError as error:
                if error.status_code == 409:
                    return False
                raise
        return True

    def untag(self, reference: str) -> None:
        """Takes a name from an image that has others, or that nothing needs: an image that runs keeps its only one."""
        with _translated():
            try:
                self._api().remove_image(reference, noprune=True)
            except docker.errors.ImageNotFound:
                return
            except docker.errors.APIError as error:
                if error.status_code != 409:
                    raise

    def images(self, labels: dict[str, str]) -> list[Image]:
        """All images that carry these labels; an empty value asks for the key alone."""
        wanted = [f"{key}={value}" if value else key for key, value in labels.items()]
        with _translated():
            found = self._api().images(all=False, filters={"label": wanted})
        return [image for entry in found if (image := self.image(entry["Id"]))]

    def labels(self, owner: str) -> dict[str, dict[str, str]]:
        """The labels of all images with the label `owner` (`key=value`), by their ids; one call, however many there are."""
        with _translated():
            found = self._api().images(all=False, filters={"label": [owner]})
        return {entry["Id"]: entry.get("Labels") or {} for entry in found}

    def layers(self, image_id: str) -> Layers:
        """The image's layers from the ground up: a key that stands for it and all below, and its bytes. An id never means another
        image, so each is looked at once."""
        if image_id not in self._layers:
            self._layers[image_id] = self._looked_up(image_id)
        return self._layers[image_id]

    def _looked_up(self, image_id: str) -> Layers:
        image = self.image(image_id)
        with _translated():
            try:
                history = self._api().history(image_id) if image else []
            except docker.errors.ImageNotFound:
                image = None
        if image is None:
            return []
        sizes = [int(step["Size"]) for step in reversed(history) if step.get("Size")]
        found: list[tuple[str, int]] = []
        key = ""
        for number, layer in enumerate(image.layers):
            key = hashlib.sha256(f"{key}{layer}".encode()).hexdigest()
            found.append((key, sizes[number] if number < len(sizes) else 0))
        return found

    def api_version(self) -> tuple[int, ...]:
        """Of the engine's HTTP API, as far as we know it."""
        return tuple(int(part) for part in self._api()._version.split("."))

    def ask(self, method: str, path: str, params: dict[str, str], timeout: float) -> Any:
        """What one call of the engine's HTTP API answers, a JSON document; it may take `timeout` seconds."""
        with _translated(), self._new() as api:
            answer = api.request(method, api._url(path), params=params, timeout=timeout)
            api._raise_for_status(answer)
            return answer.json()

    def files(self, image: str, folder: str) -> dict[str, bytes]:
        """The files that lie in a folder of an image, by name. Nothing of the image is run: a container is made, looked
        into and removed; its label lets the engine's sweep find it when we die in between."""
        with _translated(), self._new() as api:
            container = api.create_container(image, command=["none"], labels={"wherry.kind": "one-off"})["Id"]
            try:
                stream, _ = api.get_archive(container, folder)
                body = io.BytesIO(b"".join(stream))
            finally:
                api.remove_container(container, force=True)
        with tarfile.open(fileobj=body) as tar:
            members = [member for member in tar if member.isreg() and member.size <= MAX_READ]
            return {member.name.rpartition("/")[2]: found.read() for member in members if (found := tar.extractfile(member))}

    def close(self) -> None:
        with self._lock:
            if self._shared is not None:
                self._shared.close()
                self._shared = None

    def _api(self) -> Any:
        """One client for short calls."""
        with self._lock:
            if self._shared is None:
                with _translated():
                    self._shared = docker.APIClient(base_url=self._url, version="auto", timeout=30)
            return self._shared

    def _new(self) -> Any:
        """A client of its own for a long stream: a shared one would hold up the short calls."""
        return contextlib.closing(docker.APIClient(base_url=self._url, version=self._api()._version, timeout=None))

    def _session(self, wish: Solve) -> contextlib.closing[Session]:
        try:
            return contextlib.closing(Session(self._url.removeprefix("unix://"), self._logins, wish.secrets))
        except OSError as error:
            raise Unavailable("the Docker engine does not answer", hint=LOOK, code="engine_unavailable") from error

    def _read(self, wish: Solve, build_id: str, messages: queue.SimpleQueue[dict[str, Any] | Exception | None]) -> None:
        """Runs in a thread of its own: sends the tar, then puts every message of the answer on the queue."""
        try:
            with self._new() as api, self._session(wish) as session:
                headers = {"Content-Type": "application/x-tar"}
                params = wish.query(build_id, session.id, self.platform)
                answer = api.post(api._url("/build"), params=params, data=wish.body, headers=headers, stream=True)
                if answer.status_code != 200:
                    messages.put({"error": answer.json().get("message", f"HTTP {answer.status_code}")})
                for line in answer.iter_lines(chunk_size=None):
                    if line:
                        messages.put(json.loads(line))
        except Exception as error:  # the thread's owner hears of whatever ends it
            messages.put(error)
        messages.put(None)


class _End:
    """The stream has ended."""


def _next(messages: queue.SimpleQueue[dict[str, Any] | Exception | None]) -> dict[str, Any] | _End | None:
    """The next message, None when nothing came for a moment."""
    try:
        message = messages.get(timeout=POLL)
    except queue.Empty:
        return None
    if isinstance(message, Exception):
        with _translated():
            raise message
    return _End() if message is None else message


def _taken(message: dict[str, Any], see: Callable[[trace.Step | trace.Output], None], *, failing: bool) -> str:
    """Passes progress on; returns the image id when this message names it."""
    if message.get("id") == "moby.buildkit.trace":
        for seen in trace.decode(base64.b64decode(message["aux"])):
            see(seen)
    elif message.get("id") == "moby.image.id":
        return str(message["aux"]["ID"])
    elif "error" in message and failing:
        raise SolveFailed(str(message["error"]))
    return ""


def _image(found: dict[str, Any]) -> Image:
    config = found.get("Config") or {}
    ports = [int(port.partition("/")[0]) for port in config.get("ExposedPorts") or {} if port.endswith("/tcp")]
    return Image(
        id=found["Id"],
        size=int(found.get("Size") or 0),
        user=config.get("User") or "",
        starts=bool(config.get("Cmd") or config.get("Entrypoint")),
        ports=tuple(sorted(ports)),
        architecture=found.get("Architecture") or "",
        labels=config.get("Labels") or {},
        tags=tuple(found.get("RepoTags") or ()),
        digests=tuple(found.get("RepoDigests") or ()),
        env=tuple(config.get("Env") or ()),
        layers=tuple((found.get("RootFS") or {}).get("Layers") or ()),
        made=str(found.get("Created") or ""),
    )


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Docker's and the transport's errors in our words."""
    try:
        yield
    except docker.errors.APIError as error:  # which is a RequestException too
        raise Unavailable(f"the Docker engine refuses: {error.explanation or error}", code="engine_unavailable") from error
    except (requests.RequestException, docker.errors.DockerException) as error:
        raise Unavailable("the Docker engine does not answer", hint=LOOK, code="engine_unavailable") from error
