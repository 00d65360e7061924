"""The cgroups of builds are looked for seldom, and found all the same when they come, go, or get files later."""

from __future__ import annotations

from pathlib import Path

from wherry.building.groups import Groups

STEPS = ("docker/*",)


def step(root: Path, name: str, *files: str) -> Path:
    folder = root / "pids" / "docker" / name
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).touch()
    return folder


def test_steps_that_come_and_go_are_seen_at_the_next_look(tmp_path: Path) -> None:
    time = [0.0]
    groups = Groups(tmp_path, lambda: time[0])
    first = step(tmp_path, "first", "pids.max")
    assert list(groups.files("pids/pids.max", STEPS)) == [first / "pids.max"]
    second = step(tmp_path, "second", "pids.max")
    time[0] += 0.1
    assert set(groups.files("pids/pids.max", STEPS)) == {first / "pids.max", second / "pids.max"}
    (first / "pids.max").unlink()
    first.rmdir()
    time[0] += 0.1
    assert list(groups.files("pids/pids.max", STEPS)) == [second / "pids.max"]


def test_one_that_is_only_being_made_is_looked_at_again_and_another_one_after_a_second(tmp_path: Path) -> None:
    time = [0.0]
    groups = Groups(tmp_path, lambda: time[0])
    folder = step(tmp_path, "made")
    assert list(groups.files("pids/pids.max", STEPS)) == []
    (folder / "pids.max").touch()
    assert list(groups.files("pids/pids.max", STEPS)) == [folder / "pids.max"]
    (folder / "memory.max").touch()
    time[0] += 1.5
    assert list(groups.files("pids/memory.max", STEPS)) == [folder / "memory.max"]


def test_where_a_file_is_asked_for_everywhere_those_below_count_too(tmp_path: Path) -> None:
    inner = step(tmp_path, "outer/inner", "cgroup.procs")
    (inner.parent / "cgroup.procs").touch()
    found = set(Groups(tmp_path).files("pids/**/cgroup.procs", STEPS))
    assert found == {inner / "cgroup.procs", inner.parent / "cgroup.procs"}


def test_with_one_tree_there_is_no_folder_for_a_controller(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / "docker" / "one").mkdir(parents=True)
    (tmp_path / "docker" / "one" / "cpu.max").touch()
    assert list(Groups(tmp_path).files("cpu/cpu.max", STEPS)) == [tmp_path / "docker" / "one" / "cpu.max"]
