"""One platform's builder for all engine tests here: its stack images stay between runs, what the tests build does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import building_support as support
from wherry import settings
from wherry.building.builder import Built, Source
from wherry.building.buildkit import BuildKit
from wherry.building.buildkit_builder import BuildKitBuilder
from wherry.building.stack import APP, OWNER
from wherry.settings import Settings

PLATFORM = "wherry-test"
"""Not the name of a real platform, and the same in every run: a base image takes a minute of a busy machine to make."""


class Bench:
    """A builder, the lines it printed last, and apps that no other run has."""

    def __init__(self, chosen: Settings) -> None:
        self.settings = chosen
        self.engine = BuildKit()
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


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home: Path = tmp_path_factory.mktemp("home")
    made = Bench(settings.load({"WHERRY_HOME": str(home), "WHERRY_NAME": PLATFORM, "WHERRY_BUILD_CACHE": "0"}))
    made.builder.stacks.ensure(print)
    yield made
    made.sweep()
