"""How much memory a machine has: what the kernel says, or the limit of a container that poses as a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry import machine
from wherry.model.shares import MB

V1 = {
    "memory.limit_in_bytes": f"{512 * MB}\n",
    "memory.usage_in_bytes": f"{400 * MB}\n",
    "memory.stat": f"active_file 1\ninactive_file 2\nworkingset_refault_file 1\ntotal_active_file {100 * MB}\n"
    f"total_inactive_file {50 * MB}\ntotal_workingset_refault_anon 3\ntotal_workingset_refault_file 4\n",
}
V2 = {
    "memory.max": f"{512 * MB}\n",
    "memory.current": f"{400 * MB}\n",
    "memory.stat": f"anon 7\nfile 8\ninactive_file {50 * MB}\nactive_file {100 * MB}\n"
    "workingset_refault_anon 3\nworkingset_refault_file 4\n",
}


def group(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text(
        "MemTotal:       4194304 kB\nMemFree:         1000 kB\nMemAvailable:    2097152 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n"
    )
    return path


@pytest.mark.parametrize("files", [V1, V2], ids=["v1", "v2"])
def test_a_cgroup_says_what_it_has_and_what_it_read_again(tmp_path: Path, files: dict[str, str]) -> None:
    found = machine.memory_of(group(tmp_path / "builds", files))
    assert found is not None
    assert (found.total, found.free, found.refaults) == (512 * MB, 262 * MB, 7)


@pytest.mark.parametrize(
    "files", [{}, V2 | {"memory.max": "max\n"}, V1 | {"memory.limit_in_bytes": "9223372036854771712\n"}], ids=["none", "v2", "v1"]
)
def test_a_cgroup_without_a_limit_says_nothing(tmp_path: Path, files: dict[str, str]) -> None:
    assert machine.memory_of(group(tmp_path / "builds", files)) is None


def test_a_machine_has_what_is_built_in(tmp_path: Path, meminfo: Path) -> None:
    assert machine.memory(meminfo, tmp_path) == 4096 * MB
    assert machine.memory_free(meminfo, tmp_path) == 2049 * MB


@pytest.mark.parametrize(("place", "files"), [("memory", V1), (".", V2)], ids=["v1", "v2"])
def test_a_container_that_poses_as_a_machine_has_what_its_limit_allows(
    tmp_path: Path, meminfo: Path, place: str, files: dict[str, str]
) -> None:
    group(tmp_path / place, files)
    assert machine.memory(meminfo, tmp_path) == 512 * MB
    assert machine.memory_free(meminfo, tmp_path) == 263 * MB
