"""An engine in memory that behaves like Docker as far as the port promises: for tests of everything above it.

What a container does is said by its image: `good` listens and serves, `crash` exits with 1 at once, `late` exits when
told to by `die`, `deaf` never listens, `oom` is killed for memory, `gone` is no image at all. It also is the eyes
(`Look`) that see what these containers do.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from wherry import clock
from wherry.errors import Conflict, DeployFailed
from wherry.running.engine import Happening, InstanceSpec, Observed, OneOff, Sample


class MemoryEngine:
    """Implements `Engine` and `Look`. `started` lists every instance that was ever started, in order."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._containers: dict[str, Observed] = {}
        self._numbers = itertools.count(1)
        self.networks: dict[str, str] = {}
        self.images = {"good", "good2", "crash", "deaf", "oom"}
        self.started: list[str] = []
        self.one_offs: list[str] = []

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
            )
            self._containers[made.id] = made
            self.started.append(f"{spec.app}/{spec.name}")
        if spec.image in ("crash", "oom"):
            self.die(made.id, exit_code=137 if spec.image == "oom" else 1, oom=spec.image == "oom")
        return made

    def die(self, container: str, exit_code: int = 1, oom: bool = False) -> None:
        """A container ends by itself."""
        with self._lock:
            seen = self._containers[container]
            self._containers[container] = replace(seen, running=False, address="", exit_code=exit_code, oom=oom, finished_at=clock.now())

    def reboot(self) -> None:
        """Everything stops, as by a power cut."""
        for container in list(self._containers):
            self.die(container, 137)

    def observe(self, app: str | None = None) -> list[Observed]:
        with self._lock:
            return [seen for seen in self._containers.values() if app is None or seen.app == app]

    def stop(self, container: str, grace: int) -> bool:
        with self._lock:
            if container in self._containers and self._containers[container].running:
                self.die(container, 143)
        return True

    def remove(self, container: str) -> None:
        with self._lock:
            self._containers.pop(container, None)

    def run(self, spec: InstanceSpec, timeout: int, line: Callable[[str], None] | None = None) -> OneOff:
        self.one_offs.append(spec.command)
        if line:
            line(f"ran {spec.command}")
        return OneOff(1 if spec.image == "crash" else 0, False, (f"ran {spec.command}",))

    def remove_one_offs(self, app: str | None = None) -> None:
        return

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

    def happenings(self) -> Iterator[Happening]:
        return iter(())

    # The eyes

    def listens(self, address: str, port: int, timeout: float = 1.0) -> bool:
        with self._lock:
            return any(seen.address == address and seen.image.startswith("good") for seen in self._containers.values())

    def check_http(self, address: str, port: int, path: str, host: str = "localhost", timeout: float = 5.0) -> int | None:
        return 200 if self.listens(address, port) else None

    def listeners(self, pid: int) -> list[tuple[str, int]]:
        return []

    def cpu_seconds(self, pid: int) -> float | None:
        return 0.1
