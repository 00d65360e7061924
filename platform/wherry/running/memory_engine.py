"""An engine in memory that behaves like Docker as far as the port promises: for tests of everything above it.

What a container does is said by its image: `good` listens and serves, `crash` exits with 1 at once, `late` exits when
told to by `die`, `deaf` never listens, `oom` is killed for memory, `gone` is no image at all. A command with the
word `false` in it fails, one that begins with `sleep` takes too long. It also is the eyes (`Look`) that see what these containers do.
"""

from __future__ import annotations

import hashlib
import itertools
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from wherry import clock
from wherry.errors import Conflict, DeployFailed, NotFound
from wherry.model.check import Answer, HealthCheck
from wherry.model.run import Screen
from wherry.running.conversation import HEADER, STDOUT, Ending
from wherry.running.doorbell import Witness
from wherry.running.engine import Happening, InstanceSpec, Observed, OneOff, Sample


class AcceptsAll:
    """Implements `Witness`: what listens here accepts at once."""

    def accepted(self, connection: socket.socket) -> bool | None:
        return True

    def close(self) -> None:
        return


class MemoryConversation:
    """Implements `Conversation` with a program that repeats what it is told and ends with its input."""

    def __init__(self, tty: bool) -> None:
        self.line, self._far = socket.socketpair()
        self.early = b""
        self.tty = tty
        self.container = ""
        self._code = 0
        self.begun = False

    def begin(self) -> None:
        self.begun = True
        threading.Thread(target=self._repeat, daemon=True).start()

    def _repeat(self) -> None:
        with self._far:
            while data := self._far.recv(4096):
                self._far.sendall(data if self.tty else HEADER.pack(STDOUT, len(data)) + data)

    def resize(self, rows: int, columns: int) -> None:
        return

    def signal(self, name: str) -> None:
        if not self.begun:
            return
        self._code = 137 if name == "KILL" else 143
        with suppress(OSError):
            self._far.shutdown(socket.SHUT_RDWR)

    def kill(self) -> None:
        self.signal("KILL")

    def ending(self) -> Ending:
        return Ending(self._code)

    def close(self) -> None:
        self.line.close()
        if not self.begun:
            self._far.close()


class MemoryEngine:
    """Implements `Engine` and `Look`. `started` lists every instance that was ever started, in order; `volumes` maps each
    source to its app, and `together` lists who wrote to a volume at the same time although it was to be alone. `needs` is
    the MB without which none lives."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._containers: dict[str, Observed] = {}
        self._detached: dict[str, Observed] = {}
        self._numbers = itertools.count(1)
        self.networks: dict[str, str] = {}
        self._happened: deque[Happening] = deque()
        self.images = {"good", "good2", "crash", "deaf", "oom"}
        self.volumes: dict[str, str] = {}
        self.together: list[tuple[str, str]] = []
        self.started: list[str] = []
        self.one_offs: list[str] = []
        self.needs = 0
        self.executed: list[list[str]] = []
        self.answering: dict[tuple[str, str], tuple[int, str]] = {}

    def ensure_network(self, app: str, subnet: str) -> None:
        with self._lock:
            if app in self.networks:
                return
            if subnet in self.networks.values():
                raise Conflict(f"the subnet {subnet} is in use", code="subnet_taken")
            self.networks[app] = subnet

    def remove_network(self, app: str) -> None:
        self.networks.pop(app, None)

    def start(self, spec: InstanceSpec) -> Observed:
        if spec.image not in self.images:
            raise DeployFailed(f"the image of {spec.app} v{spec.release} is gone", code="image_gone")
        with self._lock:
            self._mount(spec)
            number = next(self._numbers)
            made = Observed(
                id=hashlib.sha256(str(number).encode()).hexdigest(),
                app=spec.app,
                type=spec.type,
                index=spec.index,
                release=spec.release,
                fingerprint=spec.fingerprint,
                image=spec.image,
                running=True,
                address=f"10.208.0.{number % 250 + 1}",
                port=spec.port,
                pid=number,
                created_at=clock.now(),
                started_at=clock.now(),
                memory=spec.memory,
                writes=spec.writes,
            )
            self._containers[made.id] = made
            self.started.append(f"{spec.app}/{spec.name}")
        starved = spec.image == "oom" or spec.memory < self.needs
        if starved or spec.image == "crash":
            self.die(made.id, exit_code=137 if starved else 1, oom=starved)
        return made

    def _mount(self, spec: InstanceSpec) -> None:
        self.volumes.update({mount.source: spec.app for mount in spec.mounts})
        others = [seen for seen in self._containers.values() if seen.running and seen.writes & spec.needs_alone]
        self.together.extend((seen.name, spec.name) for seen in others)

    def die(self, container: str, exit_code: int = 1, oom: bool = False) -> None:
        """A container ends by itself."""
        with self._lock:
            home = self._containers if container in self._containers else self._detached
            seen = home[container]
            home[container] = replace(seen, running=False, address="", exit_code=exit_code, oom=oom, finished_at=clock.now())

    def reboot(self) -> None:
        """Everything stops, as by a power cut."""
        for container in list(self._containers):
            self.die(container, 137)

    def observe(self, app: str | None = None) -> list[Observed]:
        with self._lock:
            return [seen for seen in self._containers.values() if app is None or seen.app == app]

    def stop(self, container: str, grace: int) -> bool:
        with self._lock:
            if any(home[container].running for home in (self._containers, self._detached) if container in home):
                self.die(container, 143)
        return True

    def remove(self, container: str) -> None:
        with self._lock:
            self._containers.pop(container, None)
            self._detached.pop(container, None)

    def run(self, spec: InstanceSpec, timeout: int, line: Callable[[str], None] | None = None) -> OneOff:
        self.one_offs.append(spec.command)
        if line:
            line(f"ran {spec.command}")
        return OneOff(1 if spec.image == "crash" or spec.command == "false" else 0, False, (f"ran {spec.command}",))

    def remove_one_offs(self, app: str | None = None, detached: bool = False) -> None:
        with self._lock:
            for seen in self.detached(app) if detached else []:
                del self._detached[seen.id]

    def converse(self, spec: InstanceSpec, screen: Screen | None) -> MemoryConversation:
        self.one_offs.append(spec.command or " ".join(spec.argv))
        return MemoryConversation(screen is not None)

    def enter(self, container: str, argv: list[str], screen: Screen | None) -> MemoryConversation:
        if not any(seen.id == container and seen.running for seen in self.observe()):
            raise NotFound("that instance does not run any more", code="no_such_instance")
        talk = MemoryConversation(screen is not None)
        talk.begun = True
        return talk

    def execute(self, container: str, argv: list[str], timeout: float) -> OneOff:
        if not any(seen.id == container and seen.running for seen in self.observe()):
            raise NotFound("that instance does not run any more", code="no_such_instance")
        self.executed.append(argv)
        if argv[0] == "sleep":
            clock.sleep(timeout)
            return OneOff(None, False)
        failed = "false" in argv[-1]
        return OneOff(int(failed), False, () if failed else (argv[-1].rpartition("echo ")[2],))

    def start_detached(self, spec: InstanceSpec) -> Observed:
        with self._lock:
            made = self.start(spec)
            self._detached[made.id] = self._containers.pop(made.id)
            return self._detached[made.id]

    def detached(self, app: str | None = None) -> list[Observed]:
        with self._lock:
            return [seen for seen in self._detached.values() if app is None or seen.app == app]

    def tail(self, container: str, lines: int = 20) -> list[str]:
        with self._lock:
            seen = self._containers.get(container)
        return ["Traceback: boom"][:lines] if seen and seen.exit_code else []

    def sample(self, container: str) -> Sample | None:
        return Sample(50_000_000, 256_000_000, 0.1)

    def image_exists(self, image: str) -> bool:
        return image in self.images

    def remove_image(self, image: str) -> None:
        self.images.discard(image)

    def remove_volume(self, source: str) -> None:
        with self._lock:
            if any(source in seen.writes for seen in self._containers.values()):
                raise Conflict("the volume is in use by a container", code="volume_in_use")
            self.volumes.pop(source, None)

    def volume_size(self, source: str) -> int | None:
        return 4096 if source in self.volumes else None

    def happenings(self) -> Iterator[Happening]:
        while self._happened:
            yield self._happened.popleft()

    def starve(self, container: str) -> None:
        """A process in it is killed for memory; the instance itself goes on."""
        self._happened.append(Happening("oom", container, "shop"))

    # The eyes

    def listens(self, address: str, port: int, timeout: float = 1.0) -> bool:
        with self._lock:
            return any(seen.address == address and seen.image.startswith("good") for seen in self._containers.values())

    def connect(self, address: str, port: int) -> socket.socket | None:
        if not self.listens(address, port):
            return None
        ours, theirs = socket.socketpair()
        theirs.close()
        return ours

    def witness(self, pid: int) -> Witness:
        return AcceptsAll()

    def fetch(self, address: str, port: int, check: HealthCheck, host: str = "localhost") -> Answer | None:
        if not self.listens(address, port):
            return None
        status, body = self.answering.get((address, check.path)) or self.answering.get((address, "")) or (200, "ok")
        return Answer(status, check.content in body)

    def answer(self, container: Observed, status: int, path: str = "", body: str = "ok") -> None:
        """From now on the instance answers a path, or every other one, like this."""
        self.answering[container.address, path] = (status, body)

    def listeners(self, pid: int) -> list[tuple[str, int]]:
        return []

    def cpu_seconds(self, pid: int) -> float | None:
        return 0.1
