"""What is written into which cgroup, over trees of files that look like the kernel's: one hierarchy, or one for each controller."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest

from wherry.building.brake import Brake
from wherry.building.flow import Flow
from wherry.building.idleness import Idleness
from wherry.building.limits import MACHINE, Limits

STEP = "system.slice/system.slice:docker:abc"


def group(root: Path, name: str, *files: str) -> Path:
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("cgroup.procs", *files):
        (folder / file).write_text("" if file == "cgroup.procs" else "max\n")
    return folder


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    group(tmp_path, ".", "cgroup.controllers", "cgroup.subtree_control")
    files = ("memory.max", "memory.swap.max", "cpu.weight", "cpu.max", "pids.max", "pids.current", "memory.events")
    for name in ("wherry-builds", STEP):
        (group(tmp_path, name, *files) / "pids.current").write_text("3\n")
    group(tmp_path, "system.slice/docker-app.scope", *files)
    return tmp_path


def held(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_with_one_tree_our_own_group_and_every_step_of_an_older_engine_are_capped(v2: Path) -> None:
    Limits(1 << 28, 1.5, 100, root=v2).apply()
    for name in ("wherry-builds", STEP):
        assert held(v2 / name) | {"cpu.weight": "6", "cpu.max": "150000 100000", "memory.max": "268435456", "pids.max": "100"} == held(
            v2 / name
        )


def test_a_running_app_is_not_touched(v2: Path) -> None:
    app = v2 / "system.slice/docker-app.scope"
    before = held(app)
    Limits(1 << 28, root=v2).apply()
    assert held(app) == before


def test_without_a_processor_limit_builds_may_take_all_that_nobody_wants(v2: Path) -> None:
    Limits(1 << 28, root=v2).apply()
    assert held(v2 / "wherry-builds")["cpu.max"] == "max 100000"


def test_with_a_tree_for_each_controller_the_groups_of_each_are_capped(tmp_path: Path) -> None:
    for controller, file in (("memory", "memory.limit_in_bytes"), ("cpu", "cpu.shares"), ("pids", "pids.max"), ("blkio", "blkio.weight")):
        group(tmp_path / controller, "docker/buildkit", file)
    Limits(1 << 28, pids=9, root=tmp_path).prepare()
    assert (tmp_path / "memory/docker/buildkit/memory.limit_in_bytes").read_text() == str(1 << 28)
    assert (tmp_path / "pids/docker/buildkit/pids.max").read_text() == "9"
    assert (tmp_path / "blkio/docker/buildkit/blkio.weight").read_text() == "10"


def test_the_processes_of_a_step_are_moved_into_our_own_group(v2: Path) -> None:
    (v2 / STEP / "cgroup.procs").write_text("4711\n")
    (v2 / "system.slice/docker-app.scope/cgroup.procs").write_text("4712\n")
    Limits(1 << 28, root=v2).apply()
    assert (v2 / "wherry-builds/cgroup.procs").read_text() == "4711"


def test_with_a_tree_for_each_controller_a_build_leaves_the_group_that_shares_its_weight_with_the_apps(tmp_path: Path) -> None:
    for controller in ("cpu", "memory"):
        group(tmp_path / controller, "docker/buildkit")
        (group(tmp_path / controller, "docker/buildkit/step") / "cgroup.procs").write_text("4711\n")
    limits = Limits(1 << 28, root=tmp_path)
    limits.prepare()
    group(tmp_path / "cpu", "wherry-builds", "cpu.idle", "cpu.shares")
    limits.apply()
    assert held(tmp_path / "cpu/wherry-builds") == {"cgroup.procs": "4711", "cpu.idle": "1", "cpu.shares": "64"}
    assert not (tmp_path / "memory/wherry-builds").exists()


def test_of_a_step_that_only_forks_nobody_is_moved(v2: Path) -> None:
    (v2 / STEP / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in range(4000, 4033)))
    before = (v2 / "wherry-builds/cgroup.procs").read_text()
    Limits(1 << 28, root=v2).apply()
    assert (v2 / "wherry-builds/cgroup.procs").read_text() == before


@pytest.mark.parametrize("version", [1, 2])
def test_a_build_gives_way_to_everybody_unless_that_leaves_it_nothing(tmp_path: Path, version: int) -> None:
    time = [0.0]
    if version == 2:
        group(tmp_path, ".", "cgroup.controllers", "cgroup.subtree_control")
    files, usage = (tmp_path, "cpu.stat") if version == 2 else (tmp_path / "cpu", "cpuacct.usage")
    own = group(files, "wherry-builds", "cpu.idle", "cpu.weight", "cpu.shares")
    counted = own if version == 2 else group(tmp_path / "cpuacct", "docker/buildkit")
    limits = Limits(1 << 28, root=tmp_path, idleness=Idleness(lambda: time[0]))
    seen = []
    for used in (0.0, 0.5, 1.0, 1.01, 1.02, 1.2, 1.7):
        (counted / usage).write_text(f"usage_usec {used * 1e6:.0f}\n" if version == 2 else f"{used * 1e9:.0f}\n")
        limits.apply()
        seen.append((own / "cpu.idle").read_text())
        time[0] += 1.0
    assert seen == ["1", "1", "1", "0", "0", "1", "1"]
    assert (own / ("cpu.weight" if version == 2 else "cpu.shares")).read_text() in ("6", "64")


def test_builds_that_only_start_processes_are_slowed_down_until_that_is_over() -> None:
    time = [0.0]
    brake = Brake(lambda: time[0])
    seen = []
    for pids in (0, 10, 100, 160, 190, 210, 230, 230, 230, 230, 230):
        time[0] += 0.25
        seen.append(brake.see(pids, 512))
    assert seen == [0.0] * 3 + [0.1] * 7 + [0.0]


@pytest.mark.parametrize("pids", [(10, 120, 125, 120), (10, 150, 340, 500)], ids=["few", "slow"])
def test_programs_with_many_threads_are_not(pids: tuple[int, ...]) -> None:
    time = [0.0]
    brake = Brake(lambda: time[0])
    for count in pids:
        time[0] += 1.0
        assert brake.see(count, 512) == 0.0


def test_builds_that_write_much_go_on_at_the_pace_of_a_disk() -> None:
    time = [0.0]
    flow = Flow(lambda: time[0], at_once=500, a_second=100)
    seen = []
    for written in ({1: 400}, {1: 550, 2: 100}, {1: 700, 2: 150}, {1: 710, 3: 60}, {3: 60}, {3: 60}, {3: 1060}):
        time[0] += 1.0
        seen.append(flow.see(written))
    assert seen == [0.0, 0.05, 0.05, 0.05, 0.05, 0.0, 0.05]


def test_what_a_process_wrote_before_the_last_look_counts_once() -> None:
    time = [0.0]
    flow = Flow(lambda: time[0], at_once=500, a_second=1)
    for _ in range(5):
        time[0] += 0.1
        assert flow.see({1: 400}) == 0.0


@pytest.mark.parametrize("version", [1, 2])
def test_a_build_that_writes_much_is_held_back_and_those_after_it_are_not(version: int, tmp_path: Path) -> None:
    if version == 2:
        group(tmp_path, ".", "cgroup.controllers", "cgroup.subtree_control")
    files = ("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us", "pids.current", "cgroup.procs")
    names = ("wherry-builds",) if version == 2 else ("cpu/docker/buildkit", "pids/docker/buildkit")
    groups = [group(tmp_path, name, *files) for name in names]
    (groups[-1] / "pids.current").write_text("3\n")
    (groups[-1] / "cgroup.procs").write_text("0\n17\n18\n")
    (tmp_path / "proc" / "17").mkdir(parents=True)
    (tmp_path / "proc" / "17" / "io").write_text("wchar: 5\nwrite_bytes: 900\ncancelled_write_bytes: 0\n")
    time = [0.0]
    limits = Limits(1 << 28, 1.5, root=tmp_path, flow=Flow(lambda: time[0], at_once=500), processes=tmp_path / "proc")
    time[0] += 1.0
    seen = []
    for act in (limits.apply, limits.rest):
        act()
        texts = held(groups[0])
        seen.append(texts["cpu.max"] if version == 2 else f"{texts['cpu.cfs_quota_us']} {texts['cpu.cfs_period_us']}")
    assert seen == ["1000 20000", "150000 100000"]


@pytest.mark.parametrize(("version", "cpu"), [(1, 0.0), (1, 1.5), (2, 0.0), (2, 1.5), (2, 0.05)])
def test_what_is_slowed_down_has_little_at_a_time(version: int, cpu: float, tmp_path: Path) -> None:
    time = [0.0]
    if version == 2:
        group(tmp_path, ".", "cgroup.controllers", "cgroup.subtree_control")
    files = ("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us", "pids.current")
    names = ("wherry-builds",) if version == 2 else ("cpu/docker/buildkit", "pids/docker/buildkit")
    groups = [group(tmp_path, name, *files) for name in names]
    limits = Limits(1 << 28, cpu, 100, root=tmp_path, brake=Brake(lambda: time[0]))
    seen = []
    for pids in (0, 90, 91, 91):
        time[0] += 0.1 if pids == 90 else 1.5
        (groups[-1] / "pids.current").write_text(f"{pids}\n")
        limits.apply()
        quota, period = (held(groups[0])[f"cpu.cfs_{name}_us"] for name in ("quota", "period"))
        seen.append(held(groups[0])["cpu.max"] if version == 2 else f"{quota} {period}")
    usual = f"{int(cpu * 100_000) or ('max' if version == 2 else -1)} 100000"
    assert seen == [usual, usual if cpu == 0.05 else "1000 10000", usual, usual]


def test_what_braked_processes_write_is_not_asked_and_counts_afterwards(tmp_path: Path) -> None:
    time = [0.0]
    step = group(tmp_path, "cpu/docker/buildkit", "cpu.cfs_quota_us", "cpu.cfs_period_us")
    pids = group(tmp_path, "pids/docker/buildkit", "pids.current", "cgroup.procs")
    (pids / "cgroup.procs").write_text("17\n")
    (tmp_path / "proc" / "17").mkdir(parents=True)
    brake, flow = Brake(lambda: time[0]), Flow(lambda: time[0], at_once=500)
    limits = Limits(1 << 28, pids=100, root=tmp_path, brake=brake, flow=flow, processes=tmp_path / "proc")
    seen = []
    for count, wrote in ((0, 0), (90, 900), (91, 1800)):
        time[0] += 0.1 if count == 90 else 1.5
        (pids / "pids.current").write_text(f"{count}\n")
        (tmp_path / "proc" / "17" / "io").write_text(f"write_bytes: {wrote}\n")
        limits.apply()
        seen.append(held(step)["cpu.cfs_period_us"])
    assert seen == ["100000", "10000", "20000"]


def test_our_group_is_made_where_one_tree_holds_all_controllers(v2: Path) -> None:
    Limits(1 << 28, name="other-builds", root=v2).prepare()
    assert (v2 / "other-builds").is_dir()


def test_our_group_goes_with_the_platform_and_no_other_does(tmp_path: Path) -> None:
    (tmp_path / "other-builds").mkdir()
    limits = Limits(1 << 28, name="shop-builds", root=tmp_path)
    for folder in (tmp_path, tmp_path / "memory"):
        (folder / "shop-builds").mkdir(parents=True)
    limits.forget()
    limits.forget()
    assert [path.name for path in tmp_path.rglob("*-builds")] == ["other-builds"]


def test_the_memory_of_the_machine_and_of_builds_is_told_apart(v2: Path) -> None:
    group(v2, "wherry-builds", "memory.stat")
    (v2 / "wherry-builds/memory.max").write_text(f"{1 << 28}\n")
    (v2 / "wherry-builds/memory.current").write_text(f"{1 << 27}\n")
    found = Limits(1 << 28, root=v2).memories()
    assert (found["wherry-builds"].total, found["wherry-builds"].free) == (1 << 28, 1 << 27)
    assert set(found) == {MACHINE, "wherry-builds"}


def test_every_process_of_a_build_and_no_other_is_ended(v2: Path) -> None:
    with contextlib.ExitStack() as stack:
        mine, other = (stack.enter_context(subprocess.Popen(["sleep", "60"])) for _ in range(2))
        (group(v2, f"{STEP}/inner") / "cgroup.procs").write_text(f"{mine.pid}\n")
        (v2 / "wherry-builds/cgroup.procs").write_text("")
        (v2 / STEP / "cgroup.procs").write_text("0\n")
        (v2 / "system.slice/docker-app.scope/cgroup.procs").write_text(f"{other.pid}\n")
        Limits(1 << 28, root=v2).kill()
        assert mine.wait(30) == -9
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize(("busy", "ended"), [(60, True), (40, False)], ids=["most of all", "not so many"])
def test_the_step_with_most_processes_is_ended_and_no_other(busy: int, ended: bool, tmp_path: Path) -> None:
    (group(tmp_path / "pids", "docker/buildkit") / "pids.current").write_text("100\n")
    with contextlib.ExitStack() as stack:
        mine, other = (stack.enter_context(subprocess.Popen(["sleep", "60"])) for _ in range(2))
        for name, program, pids in (("forks", mine, busy), ("builds", other, 5)):
            step = group(tmp_path / "pids", f"docker/buildkit/{name}")
            (step / "cgroup.procs").write_text(f"{program.pid}\n")
            (step / "pids.current").write_text(f"{pids}\n")
        assert Limits(1 << 28, root=tmp_path).kill_largest() is ended
        if ended:
            assert mine.wait(30) == -9
        assert other.poll() is None
        mine.kill()
        other.kill()


def test_what_builds_meet_is_counted(v2: Path) -> None:
    (v2 / "wherry-builds/memory.events").write_text("low 0\noom 2\noom_kill 2\n")
    (v2 / "wherry-builds/pids.current").write_text("7\n")
    (v2 / STEP / "pids.current").write_text("3\n")
    (v2 / STEP / "pids.events").write_text("max 4\n")
    (v2 / "wherry-builds/pids.events").write_text("max 5\n")
    taken = Limits(1, root=v2).taken()
    assert (taken.kills, taken.pids, taken.refused) == (2, 10, 9)


def test_processes_that_a_step_could_not_have_are_counted_where_each_controller_has_a_tree(tmp_path: Path) -> None:
    (group(tmp_path / "pids", "docker/buildkit") / "pids.events").write_text("max 0\n")
    (group(tmp_path / "pids", "docker/buildkit/step") / "pids.events").write_text("max 6\n")
    assert Limits(1, root=tmp_path).taken().refused == 6
