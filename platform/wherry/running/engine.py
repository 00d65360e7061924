"""What the platform asks of a container engine, in its own words; `docker_engine` makes it true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from wherry.model.limits import USUAL_PIDS, USUAL_SHARE
from wherry.model.run import Screen
from wherry.running.conversation import Conversation
from wherry.secret import Secret


@dataclass(frozen=True)
class VolumeMount:
    """A volume in a container. `source` is its name at the engine, `name` what its app calls it. `alone` says that no
    other container may write to it meanwhile."""

    name: str
    source: str
    path: str
    read_only: bool = False
    alone: bool = False


@dataclass(frozen=True)
class InstanceSpec:
    """One wished instance. `env` is complete but for nothing: PORT and the WHERRY_* variables are in it.

    `command` is a Procfile line, or empty for the image's own CMD; `port` is None for types that take no requests.
    `memory` is MB; `share`, `cpu` and `pids` are as in `Limits`. `root` says that the image starts as root and needs the
    capabilities to drop to a user. `argv` is what a one-off runs instead of `command`: a program and its arguments,
    without a shell. `stop_first` says that what it replaces must be gone before it starts.
    """

    app: str
    type: str
    index: int
    release: int
    image: str
    command: str
    env: dict[str, Secret]
    port: int | None
    memory: int
    generation: int = 0
    root: bool = False
    argv: tuple[str, ...] = ()
    share: int = USUAL_SHARE
    cpu: float | None = None
    pids: int = USUAL_PIDS
    mounts: tuple[VolumeMount, ...] = ()
    stop_first: bool = False

    @property
    def name(self) -> str:
        return f"{self.type}.{self.index}"

    @property
    def writes(self) -> frozenset[str]:
        """The sources of the volumes that it can write to."""
        return frozenset(mount.source for mount in self.mounts if not mount.read_only)

    @property
    def needs_alone(self) -> frozenset[str]:
        """The sources of those that nobody else may write to meanwhile."""
        return frozenset(mount.source for mount in self.mounts if mount.alone and not mount.read_only)

    @property
    def fingerprint(self) -> str:
        """Equal for two specs when and only when a container of one serves as the other. The release number is not
        in it, so a release that changes nothing for a process leaves its instances alone. Limits count where they are not
        the usual ones: so what ran before there were others keeps its fingerprint."""
        env = {key: value.reveal() for key, value in sorted(self.env.items()) if key not in ("WHERRY_RELEASE",)}
        facts = [self.app, self.type, self.index, self.image, self.command, env, self.port, self.memory, self.generation, self.root]
        limits = (self.share, self.cpu, self.pids)
        facts += limits if limits != (USUAL_SHARE, None, USUAL_PIDS) else ()
        # Only when there are any: an instance from before volumes serves on.
        facts += [{"mounts": [[mount.source, mount.path, mount.read_only] for mount in self.mounts]}] if self.mounts else []
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Observed:
    """One container of the platform, as the engine shows it. `address` is empty unless it runs. `pid` is the host's
    number of its first process. `exit_code` and `oom` are of the last run; times are RFC 3339. `memory` is its limit in
    MB, 0 when that is not known. `writes` are the sources of the volumes that it can write to."""

    id: str
    app: str
    type: str
    index: int
    release: int
    fingerprint: str
    image: str
    running: bool
    address: str = ""
    port: int | None = None
    pid: int = 0
    exit_code: int | None = None
    oom: bool = False
    created_at: str = ""
    started_at: str = ""
    finished_at: str = ""
    memory: int = 0
    writes: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.type}.{self.index}"

    @property
    def target(self) -> str:
        """The name of this container among the proxy's targets."""
        return f"{self.name}-{self.id[:12]}"


@dataclass(frozen=True)
class OneOff:
    """How a command ended. `lines` are the last lines of its output. `exit_code` is None for a command inside an instance
    that was ended because it took too long, or whose end nobody can tell."""

    exit_code: int | None
    oom: bool
    lines: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Sample:
    """A measurement of one container: bytes of memory and its limit, CPU time used so far in seconds."""

    memory: int
    memory_limit: int
    cpu_seconds: float


@dataclass(frozen=True)
class Happening:
    """A hint from the engine: something (`start`, `die`, `oom`, `destroy`) happened to a container of ours."""

    action: str
    container: str
    app: str


class Engine(Protocol):
    """Promises of every engine. Every method raises Unavailable when the engine does not answer; those that name a
    container take an absent one for done."""

    def ensure_network(self, app: str, subnet: str) -> None:
        """The app's own bridge network exists. Idempotent."""

    def remove_network(self, app: str) -> None: ...

    def start(self, spec: InstanceSpec) -> Observed:
        """Creates and starts one container. Volumes that it mounts and that are not there are made; what it may write to
        belongs to the image's user. Raises DeployFailed when the engine refuses (no such image or command)."""

    def observe(self, app: str | None = None) -> list[Observed]:
        """All containers of long-running processes, of one app or of all; dead ones too."""

    def stop(self, container: str, grace: int) -> bool:
        """SIGTERM, then SIGKILL after `grace` seconds; blocks. True when it ended by itself in time."""

    def remove(self, container: str) -> None:
        """Removes a container, killing it first if it runs."""

    def run(self, spec: InstanceSpec, timeout: int, line: Callable[[str], None] | None = None) -> OneOff:
        """Runs a one-off container to its end and removes it; `line` is called with each line of its output.
        Raises DeployFailed after `timeout` seconds."""

    def remove_one_offs(self, app: str | None = None, detached: bool = False) -> None:
        """Removes the one-off containers that a dead engine left behind; with `detached` those that go on alone too."""

    def converse(self, spec: InstanceSpec, screen: Screen | None) -> Conversation:
        """A one-off container whose streams are ours, on a terminal when `screen` says so. It starts with `begin`.
        Raises DeployFailed when the engine refuses."""

    def enter(self, container: str, argv: list[str], screen: Screen | None) -> Conversation:
        """A program inside a running container, likewise. Raises NotFound when the container does not run."""

    def execute(self, container: str, argv: list[str], timeout: float) -> OneOff:
        """Runs a program inside a running container to its end, or ends it with all that it started after `timeout` seconds.
        Raises NotFound when the container does not run, DeployFailed when the engine refuses."""

    def start_detached(self, spec: InstanceSpec) -> Observed:
        """Like `start`, for a one-off that goes on alone."""

    def detached(self, app: str | None = None) -> list[Observed]:
        """All one-offs that go on alone; dead ones too."""

    def tail(self, container: str, lines: int = 20) -> list[str]:
        """The last lines of a container's output, oldest first; empty when it is gone."""

    def sample(self, container: str) -> Sample | None:
        """None when it does not run."""

    def image_exists(self, image: str) -> bool: ...

    def remove_image(self, image: str) -> None:
        """Removes an image that no container uses; an image in use stays."""

    def remove_volume(self, source: str) -> None:
        """Removes a volume with all that is in it. Raises Conflict while a container has it mounted."""

    def volume_size(self, source: str) -> int | None:
        """Its bytes, None when it is not there yet. Reads the whole tree: not for a path that somebody waits on."""

    def happenings(self) -> Iterator[Happening]:
        """Blocks and yields hints until the engine's stream ends; some may be missing."""
