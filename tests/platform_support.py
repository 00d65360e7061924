"""A whole platform in one process for tests: real database, logs and threads; engine, proxy and builder in memory."""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from migrated import migrate
from waiting import PATIENCE, until
from wherry import clock, settings
from wherry.building.app_json_env import EnvVar
from wherry.building.builder import Built, Line, Outline, Source, Stored
from wherry.building.buildpack import Generated
from wherry.building.failure import refuse
from wherry.building.generated import completed
from wherry.building.memory_adoption import MemoryAdoption
from wherry.errors import DeployFailed
from wherry.model.build import FIRST_DEPLOY, POSTDEPLOY
from wherry.model.check import HealthCheck
from wherry.model.operation import Operation
from wherry.model.user import Actor
from wherry.reconciler.loop import Loop
from wherry.reconciler.outside import Outside
from wherry.routing.memory_proxy import MemoryProxy
from wherry.running.memory_engine import MemoryEngine
from wherry.services import operations, platform, pushes
from wherry.services.platform import Platform
from wherry.store.app_logs import AppLogs
from wherry.store.database import Database

ADMIN = Actor("alice", "admin", "test")


CHECKS = ("readiness", "liveness")


def words_of(archive: Path) -> dict[str, str]:
    text = archive.read_bytes()
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            file = tar.extractfile("text")
            text = file.read() if file else b""
    return dict(row.split("=", 1) for row in text.decode().splitlines())


class TextBuilder(MemoryAdoption):
    """Implements `Builder` over archives that are plain text, or hold it in a file `text`: `image=good`, `web=run`,
    `release=check`, `fail=why`, `env.KEY=value` (or generated, required, optional), `made.KEY=why`, `postdeploy=…`, `first_deploy=…`,
    `until=a file that is there`. `readiness=/path` and `liveness=/path` are asked of web once a second, and one failure counts.
    `seen` is the config of the last build, `before` the images of the app's earlier ones, `begun` how many builds began."""

    stored_images: Stored = Stored()
    before: tuple[str, ...] = ()
    begun: int = 0

    def prune(self, keep: Callable[[], set[str] | None]) -> int:
        kept = keep()
        if kept is None:
            return 0
        apps = {image: layers for image, layers in self.stored_images.apps.items() if image in kept}
        app_of = {image: app for image, app in self.stored_images.app_of.items() if image in kept}
        self.stored_images = replace(self.stored_images, apps=apps, app_of=app_of)
        return 0

    def forget(self, images: set[str]) -> None:
        """Nothing is kept below an image."""

    def stored(self) -> Stored:
        return self.stored_images

    def disk(self) -> Path:
        return Path("/")

    def outline(self, source: Source, line: Line) -> Outline:
        line("-----> Text")
        words = words_of(source.archive)
        if "buildpacks" in words:
            return Outline(words["buildpacks"], None)
        return Outline("text", {name: line for name, line in words.items() if name != "image"})

    def env(self, source: Source) -> dict[str, EnvVar]:
        words = words_of(source.archive)
        wanted = {name.removeprefix("env."): value for name, value in words.items() if name.startswith("env.")}
        known = {"generated": EnvVar(generated=True), "required": EnvVar(), "optional": EnvVar(required=False)}
        return {name: known.get(value, EnvVar(value)) for name, value in wanted.items()}

    def build(self, source: Source, line: Line, *, no_cache: bool = False, cancelled: Callable[[], bool] = lambda: False) -> Built:
        self.begun += 1
        words = words_of(source.archive)
        if "fail" in words:
            raise refuse(words["fail"], code="build_failed", evidence=("pip said no",), source="the build")
        while "until" in words and not Path(words["until"]).exists():
            if cancelled():
                raise DeployFailed("the build was cancelled", code="build_cancelled")
            clock.sleep(0.01)
        words.pop("until", None)
        wanted = [Generated(name.removeprefix("made."), 128, words.pop(name)) for name in list(words) if name.startswith("made.")]
        source = completed(source, [entry for entry in wanted if entry.config not in source.config], line)
        line("-----> Built in 0.0 s, 1 MB")
        image = words.pop("image")
        scripts = {name: words.pop(name) for name in (POSTDEPLOY, FIRST_DEPLOY) if name in words}
        checks = tuple(HealthCheck(words.pop(kind), type=kind, attempts=1, wait=1) for kind in CHECKS if kind in words)
        self.before = source.built
        self.seen = {key: value.reveal() for key, value in source.config.items()}
        processes = {name: line for name, line in words.items() if not name.startswith("env.")}
        return Built(image=image, buildpack="text", size=1, processes=processes, scripts=scripts, checks={"web": checks})


class NoOutput:
    """A collector of instances that say nothing."""

    def add(self, container: str, app: str, process: str) -> None:
        return

    def finish(self, container: str, timeout: float) -> bool:
        return True

    def discard(self, container: str) -> None:
        return

    def stop(self) -> None:
        return


@dataclass
class Machine:
    """The platform under test with handles on its parts."""

    outside: Outside
    services: Platform
    loop: Loop
    engine: MemoryEngine
    proxy: MemoryProxy
    logs: AppLogs

    def push(self, app: str, tree: str, options: tuple[str, ...] = (), **words: str) -> Operation:
        """Deploys a source of these words and waits for the end."""
        return self.wait(self.begin(app, tree, options, **words))

    def begin(self, app: str, tree: str, options: tuple[str, ...] = (), **words: str) -> Operation:
        """Queues the deploy of a source of these words."""
        archive = self.services.settings.spool / f"{clock.monotonic()}.tar"
        archive.write_text("".join(f"{key}={value}\n" for key, value in words.items()), "utf-8")
        pushes.app_for(self.services, ADMIN, app)
        return pushes.deploy(self.services, ADMIN, app, tree * 40, tree * 40, archive, options)

    def wait(self, operation: Operation | None) -> Operation:
        """The operation as it is once it is over."""
        assert operation is not None
        end = clock.monotonic() + PATIENCE
        while clock.monotonic() < end:
            found = operations.get(self.services, ADMIN, operation.id)
            if found.done:
                return found
            clock.sleep(0.01)
        raise AssertionError(f"operation {operation.id} did not end")

    def log(self, operation: Operation) -> list[str]:
        return self.services.operation_logs.read(operation.id)[0]

    def targets(self, app: str) -> list[str]:
        """The instances that the proxy sends visitors to."""
        route = self.proxy.routes().get(app)
        return sorted(target.name.split("-")[0] for target in route.targets) if route else []

    def until(self, true: Callable[[], object]) -> None:
        until(true)


def settings_in(home: Path, **words: str) -> settings.Settings:
    """Settings over an empty home with the folders that setup makes."""
    made = settings.load({"WHERRY_HOME": str(home), **words})
    for folder in (made.database.parent, made.spool, made.operation_logs, made.app_logs, made.run, made.repositories, made.proxy):
        folder.mkdir(parents=True, exist_ok=True)
    return made


@contextmanager
def machine(
    home: Path, engine: MemoryEngine | None = None, proxy: MemoryProxy | None = None, lines: list[str] | None = None, **words: str
) -> Iterator[Machine]:
    """Boots the platform over `home`; leaves it as `kill -9` would: nothing is tidied. What must not listen in time says so with
    a shorter WHERRY_BOOT_TIMEOUT: a busy machine may let a thread wait for seconds."""
    made = settings_in(home, **{"WHERRY_BOOT_TIMEOUT": "60", "WHERRY_DRAIN_TIMEOUT": "1", "WHERRY_BAKE": "0", **words})
    migrate(Database(made.database))
    engine, proxy = engine or MemoryEngine(), proxy or MemoryProxy()
    said = [] if lines is None else lines
    logs = AppLogs(made.app_logs)
    outside = Outside(
        settings=made,
        database=Database(made.database),
        engine=engine,
        proxy=proxy,
        builder=TextBuilder(),
        look=engine,
        collector=NoOutput(),
        platform_line=lambda app, process, text: said.append(f"{app} {process}: {text}"),
        move_log=logs.rename,
        forget_log=logs.forget_name,
    )
    loop = Loop(outside)
    loop.recover()
    made.engine_socket.unlink(missing_ok=True)
    thread = threading.Thread(target=loop.run)
    thread.start()
    while not made.engine_socket.exists():
        clock.sleep(0.005)
    try:
        yield Machine(outside, platform.of(made), loop, engine, proxy, logs)
    finally:
        loop.stop()
        thread.join()
