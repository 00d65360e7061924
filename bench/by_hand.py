"""The floor: the steps of a deploy done by hand, one after the other, with nothing between them and nothing around them.

A `git push` to a bare repository over the machine's own OpenSSH; BuildKit builds the very Dockerfile that Wherry writes,
from the same files; a container is created with `--init` on a bridge network of its app's own and started; then the app boots
until it answers directly. The network is not the default bridge because all apps could reach each other there; Docker takes
longer to start in any other, for it starts a resolver for names.
"""

from __future__ import annotations

import getpass
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import docker_socket
from small_app import small_app
from sshd import sshd
from watcher import Watcher

from scenario_support import ROOT, Repository, Site
from wherry.building.buildpack import fill, load
from wherry.building.dependency_layers import UNLAYERED

PORT = 5000
ENV = {"PORT": str(PORT), "WHERRY_INSTANCE": "web.1"}
PACK = ROOT / "buildpacks" / "python"
PARTS = ("git push over OpenSSH", "BuildKit build", "container create + start", "the app's own boot")


@dataclass
class ByHand:
    """Deploys `repository`'s app by hand. What runs stays until the next one answers, as in a real deploy."""

    site: Site
    repository: Repository
    command: tuple[str, ...]
    stack: str
    watcher: Watcher
    made: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    running: str = ""

    def deploy(self, version: str) -> tuple[float, list[float]]:
        """Seconds until `version` answers, and what each of PARTS took. The commit is made before the clock starts."""
        files = small_app(version)
        self.repository.commit(files)
        image = f"{self.site.name}-by-hand:{version}"
        began = time.monotonic()
        pushed = self.repository.git("push", "-q", "wherry", "main")
        assert pushed.status == 0, pushed.text
        marks = [time.monotonic()]
        docker_socket.build(self._context(files), image)
        marks.append(time.monotonic())
        container = self.start(image)
        marks.append(time.monotonic())
        marks.append(self.watcher.seen(version))
        self.images.append(image)
        self.take_over(container)
        return marks[-1] - began, [after - before for before, after in zip([began, *marks], marks, strict=False)]

    @property
    def network(self) -> str:
        return f"{self.site.name}-by-hand"

    def start(self, image: str, network: str = "") -> str:
        """Creates and starts a container, on its own network if no other is named, and lets the watcher look at it."""
        name = f"{self.site.name}-by-hand-{len(self.made)}"
        container = docker_socket.create(image, self.command, ENV, name, network or self.network)
        self.made.append(container)
        self.watcher.aim(docker_socket.start(container), PORT)
        return container

    def take_over(self, container: str) -> None:
        """The one that ran before goes; nobody measures that."""
        if self.running:
            docker_socket.remove(self.running)
        self.running = container

    def _context(self, files: Mapping[str, str]) -> dict[str, bytes]:
        dockerfile = one_dockerfile(self.stack, f"{self.site.name}-by-hand")
        scripts = {f"buildpack/{path.name}": path.read_bytes() for path in (PACK / "install", PACK.parent / "with_config")}
        ours = {"Dockerfile": dockerfile.encode(), **scripts, "config": b"", "config-install": b""}
        deps = {"deps/requirements.txt": files["requirements.txt"].encode()}
        return {**ours, **deps, **{f"app/{name}": text.encode() for name, text in files.items()}}


@contextmanager
def by_hand(site: Site, folder: Path, command: str) -> Iterator[ByHand]:
    """A bare repository behind sshd, and containers by hand; all of it gone afterwards."""
    bare = folder / "bare.git"
    with sshd(folder / "sshd", site.key) as port, Watcher("127.0.0.1", 9, "by-hand.localhost") as watcher:
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", bare], check=True)
        repository = Repository(replace(site, ssh_port=port), "by-hand", folder / "by-hand")
        repository.git("remote", "set-url", "wherry", f"ssh://{getpass.getuser()}@127.0.0.1:{port}{bare}")
        hand = ByHand(site, repository, ("sh", "-c", f"exec {command}"), stack_image(site), watcher)
        docker_socket.make_network(hand.network)
        try:
            yield hand
        finally:
            _clear(hand, folder)


def one_dockerfile(stack: str, cache: str) -> str:
    """What Wherry writes for an app that it never built: dependencies and code in one, on the image `stack`."""
    words = {"stack": stack, "cache": cache, "plan": "requirements", "sources": False, "collectstatic": False}
    return fill(load(PACK).template("Dockerfile"), {**words, **UNLAYERED})


def stack_image(site: Site) -> str:
    """The platform's own base image for Python apps, e.g. `wherry/python:3.11`."""
    images = docker_socket.call("GET", "/images/json")
    tags: list[str] = [tag for image in images for tag in image["RepoTags"] or [] if tag.startswith(f"{site.name}/python:")]
    return min(tag for tag in tags if not tag.endswith("-build"))


def _clear(hand: ByHand, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for container in hand.made:
        with suppress(docker_socket.Refused):
            docker_socket.remove(container)
    with suppress(docker_socket.Refused):
        docker_socket.remove_network(hand.network)
    for image in hand.images:
        with suppress(docker_socket.Refused):
            docker_socket.remove_image(image)
