"""One real platform for all scenarios of a session; each scenario has apps of its own."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scenario_support import Repository, Site, site


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    base = Path("/var/tmp") / f"wherry-scenario-{os.getpid()}"
    try:
        with site(f"ws{os.getpid() % 100_000}", base) as made:
            yield made
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def app(here: Site, tmp_path: Path) -> Iterator[Callable[[str], Repository]]:
    """Makes the source of an app; in the end the apps that were pushed are destroyed."""
    made: list[Repository] = []

    def make(name: str) -> Repository:
        made.append(Repository(here, name, tmp_path / name))
        return made[-1]

    yield make
    for repository in made:
        here.wherry("apps:destroy", repository.app, "--confirm", repository.app)
