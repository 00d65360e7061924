"""One HAProxy for all tests that only look, a fresh one for those that hurt it, and instances that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from routing_support import Haproxy, Upstream, running_haproxy, start_upstream


@pytest.fixture(scope="session")
def shared_haproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Haproxy]:
    with running_haproxy(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def haproxy(shared_haproxy: Haproxy) -> Haproxy:
    shared_haproxy.proxy.start([])
    return shared_haproxy


@pytest.fixture(scope="session")
def _patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Haproxy]:
    with running_haproxy(tmp_path_factory.mktemp("home"), hold_timeout=30) as running:
        yield running


@pytest.fixture
def patient_haproxy(_patient: Haproxy) -> Haproxy:
    """Holds requests for longer than a busy machine takes to do anything."""
    _patient.proxy.start([])
    return _patient


@pytest.fixture
def own_haproxy(tmp_path: Path) -> Iterator[Haproxy]:
    with running_haproxy(tmp_path / "home") as running:
        yield running


@pytest.fixture
def instance() -> Iterator[Callable[[str], Upstream]]:
    started: list[Upstream] = []

    def start(name: str) -> Upstream:
        started.append(start_upstream(name))
        return started[-1]

    yield start
    for upstream in started:
        upstream.stop()
