"""How the tests share a machine when several workers run them (pytest-xdist): what needs a Docker engine takes turns, on one
worker, and each worker has a short folder of its own for temporary files."""

from __future__ import annotations

from pathlib import Path

import pytest

CROWDED = ("engine", "scenario")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """A unix socket's path has at most 107 letters, and xdist spends ten of them on the name of the worker's folder."""
    if hasattr(config, "workerinput") and config.option.basetemp:
        given = Path(config.option.basetemp)
        config.option.basetemp = str(given.with_name(given.name.rpartition("gw")[2]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.get_closest_marker(name) for name in CROWDED):
            item.add_marker(pytest.mark.xdist_group("engine"))
