"""One platform's builder for all engine tests here, and one that builds for arm64: their stack images stay between runs,
what the tests build does not."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

import building_support as support
from wherry import settings
from wherry.building import logins
from wherry.building.builder import Built, Source
from wherry.building.buildkit import BuildKit
from wherry.building.buildkit_builder import BuildKitBuilder
from wherry.building.context import Context
from wherry.building.limits import limits_of
from wherry.building.solve import Solve
from wherry.building.stack import APP, OWNER
from wherry.settings import Settings

PLATFORM, ARM64 = "wherry-test", "wherry-arm64"
"""Not the names of real platforms, and the same in every run: a base image takes a minute of a busy machine to make."""
EMULATOR = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")


class Bench:
    """A builder, the lines it printed last, and apps that no other run has."""

    def __init__(self, chosen: Settings, engine: BuildKit) -> None:
        self.settings = chosen
        self.engine = engine
        self.builder = BuildKitBuilder(chosen, self.engine)
        self.lines: list[str] = []
        self.apps: set[str] = set()

    def app(self, name: str) -> str:
        self.apps.add(unique := support.unique(name))
        return unique

    def build(self, source: Source, *, no_cache: bool = False, cancelled: Callable[[], bool] = lambda: False) -> Built:
        self.lines = []
        return self.builder.build(source, self.lines.append, no_cache=no_cache, cancelled=cancelled)

    def sweep(self) -> None:
        for image in self.engine.images({OWNER: self.settings.name, APP: ""}):
            if image.labels[APP] in self.apps:
                for tag in image.tags[1:]:
                    self.engine.untag(tag)
                self.engine.remove(image.id)
        self.engine.close()


class Emulating(BuildKit):
    """This machine's engine, building for arm64."""

    def __init__(self) -> None:
        super().__init__(platform="linux/arm64")

    def load(self, root: IO[bytes], tag: str, labels: dict[str, str]) -> str:
        """Docker 20.10 writes its own processor on whatever it imports: a second image says the true one."""
        imported = super().load(root, tag, labels)
        found = self.image(imported)
        if found is None or found.architecture == self.architecture():
            return imported
        context = Context()
        context.add_text(
            "Dockerfile", f"FROM --platform=linux/{found.architecture} {tag} AS root\nFROM scratch\nCOPY --from=root / /\n".encode()
        )
        image = self.solve(Solve(context.stream(), tag, labels=labels), lambda _: None, lambda: None, lambda: False, 600)
        self.remove(imported)
        return image


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    chosen = _chosen(tmp_path_factory.mktemp("home"), PLATFORM)
    made = Bench(chosen, BuildKit(limits=limits_of(chosen), logins=logins.by(chosen)))
    made.builder.stacks.ensure(print)
    yield made
    made.sweep()


@pytest.fixture(scope="session")
def arm64(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A builder for the other processor, whose programs qemu runs, slowly: its images take ten minutes to make, once."""
    emulated = EMULATOR.exists() and EMULATOR.read_text("ascii").startswith("enabled")
    if not emulated and platform.machine() != "aarch64":
        pytest.skip("nothing here runs programs for arm64: scripts/prepare-arm64 sets it up")
    made = Bench(_chosen(tmp_path_factory.mktemp("home-arm64"), ARM64, WHERRY_BUILD_TIMEOUT="3600"), Emulating())
    yield made
    made.sweep()


def _chosen(home: Path, name: str, **others: str) -> Settings:
    return settings.load({"WHERRY_HOME": str(home), "WHERRY_NAME": name, "WHERRY_BUILD_CACHE": "0", **others})
