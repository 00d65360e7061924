"""A build that would take the machine with it ends, with the name of what it ran out of. On a real engine."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import docker
import pytest

import building_support as support
from tiny_image import NAME, TAG, tiny_image
from waiting import until
from wherry.building.buildkit import BuildKit
from wherry.building.buildkit_builder import BuildKitBuilder
from wherry.building.flow import Flow
from wherry.building.limits import Limits, limits_of
from wherry.building.stack import APP, OWNER
from wherry.errors import DeployFailed
from wherry.model.shares import MB
from wherry.settings import load

pytestmark = pytest.mark.engine
MEMORY, PIDS, DISK = 192, 120, 300


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuildKitBuilder]:
    """A builder that gives builds little."""
    client = docker.from_env()
    tiny_image(client)
    client.close()
    home = tmp_path_factory.mktemp("home")
    given = {"WHERRY_BUILD_MEMORY": MEMORY, "WHERRY_BUILD_PIDS": PIDS, "WHERRY_BUILD_DISK": DISK, "WHERRY_BUILD_CACHE": 0}
    chosen = load({"WHERRY_HOME": str(home), "WHERRY_NAME": "wherry-test", **{key: str(value) for key, value in given.items()}})
    engine = BuildKit(limits=limits_of(chosen))
    before = {image.id for image in engine.images({OWNER: chosen.name, APP: ""})}
    yield BuildKitBuilder(chosen, engine)
    for image in engine.images({OWNER: chosen.name, APP: ""}):
        if image.id not in before and image.labels[APP].startswith(("shop", "calm")):
            engine.remove(image.id)
    engine.close()


def failed(small: BuildKitBuilder, folder: Path, run: str) -> DeployFailed:
    text = f"FROM {NAME}:{TAG}\nRUN : {support.unique('x')}; {run}\nCMD true\n"
    with pytest.raises(DeployFailed) as caught:
        small.build(support.push(folder, {"Dockerfile": text}), lambda _: None)
    print(caught.value, caught.value.evidence)
    return caught.value


def test_a_memory_hog_fails_with_its_name(small: BuildKitBuilder, tmp_path: Path) -> None:
    error = failed(small, tmp_path, "echo so far; tail /dev/zero")
    assert (error.code, error.message) == ("build_memory", "the build ran out of memory: builds may take 192 MB")
    assert "so far" in error.evidence


def test_a_hog_in_the_background_whose_parent_only_fails_is_named_too(small: BuildKitBuilder, tmp_path: Path) -> None:
    assert failed(small, tmp_path, "sh -c 'tail /dev/zero' || { echo Killed; exit 1; }").code == "build_memory"


def test_a_build_beside_a_fork_bomb_goes_on(small: BuildKitBuilder, tmp_path: Path) -> None:
    """They share the limit, and the bomb stays at it."""
    text = f"FROM {NAME}:{TAG}\nRUN : {support.unique('x')}; sleep 6\nCMD true\n"
    source, lines = support.push(tmp_path / "calm", {"Dockerfile": text}, support.unique("calm")), list[str]()
    with ThreadPoolExecutor(1) as beside:
        calm = beside.submit(small.build, source, lines.append)
        until(lambda: any("sleep 6" in line for line in lines) or calm.done(), 60, "the first build")
        error = failed(small, tmp_path / "bomb", "(while :; do sleep 60 & done) & sleep 100")
        assert error.code == "build_processes"
        assert calm.result(120).image.startswith("sha256:")


def test_a_fork_bomb_is_ended_and_named(small: BuildKitBuilder, tmp_path: Path) -> None:
    error = failed(small, tmp_path, "f() { sleep 60 & f; }; f")
    assert (error.code, error.message) == ("build_processes", "the build started too many processes: builds may have 120")


def test_processes_that_wait_at_the_limit_are_ended_long_before_the_time_limit(small: BuildKitBuilder, tmp_path: Path) -> None:
    error = failed(small, tmp_path, "f() { while :; do sleep 50 & done; }; while :; do (f) 2>/dev/null; sleep 0.1; done")
    assert error.code == "build_processes"


def test_what_a_neighbour_writes_is_not_blamed_on_a_build(small: BuildKitBuilder, tmp_path: Path) -> None:
    text = f"FROM {NAME}:{TAG}\nRUN : {support.unique('x')}; sleep 4\nCMD true\n"
    big = Path(small._engine.root()) / f"wherry-test-{os.getpid()}"
    try:
        with ThreadPoolExecutor(1) as writing:
            writing.submit(lambda: big.write_bytes(bytes(400 * 1024**2)))
            assert small.build(support.push(tmp_path, {"Dockerfile": text}), lambda _: None).image
    finally:
        big.unlink(missing_ok=True)


def test_a_build_that_writes_faster_than_a_disk_is_slowed_and_the_next_one_is_not(small: BuildKitBuilder, tmp_path: Path) -> None:
    slow = replace(small._engine.limits, flow=Flow(at_once=20 * MB, a_second=MB), pids=PIDS + 1)
    small._engine.limits, usual = slow, small._engine.limits
    seen = set[str]()
    try:
        text = f"FROM {NAME}:{TAG}\nRUN : {support.unique('x')}; dd if=/dev/zero of=/big bs=1M count=200; rm /big\nCMD true\n"
        source = support.push(tmp_path, {"Dockerfile": text})
        with ThreadPoolExecutor(1) as building:
            built = building.submit(small.build, source, lambda _: None)
            while not built.done():
                seen |= quotas(slow)
                time.sleep(0.02)
        assert built.result().image.startswith("sha256:")
    finally:
        small._engine.limits = usual
    assert "1000" in seen
    assert "1000" not in quotas(slow)


def quotas(limits: Limits) -> set[str]:
    """Microseconds of the processor that the cgroups of builds have in a span of time."""
    found = set[str]()
    for name in ("cpu/cpu.cfs_quota_us", "cpu/cpu.max"):
        for path in limits._files(name):
            with contextlib.suppress(OSError):  # the step has ended
                found.add(path.read_text().split()[0])
    return found


def test_a_file_that_would_fill_the_disk_is_stopped(small: BuildKitBuilder, tmp_path: Path) -> None:
    error = failed(small, tmp_path, "dd if=/dev/zero of=/big bs=1M count=20000 2>/dev/null; echo done")
    assert (error.code, error.message) == ("build_disk", "the build filled the disk by more than the 300 MB that one may")
