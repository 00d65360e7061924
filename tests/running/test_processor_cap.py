"""The cap of a container's cgroup, in both versions and where both of Docker's drivers put it."""

from pathlib import Path

import pytest

from wherry.running.processor_cap import ProcessorCap, cores

ID = "f" * 64


@pytest.mark.parametrize("place", [f"docker/{ID}", f"system.slice/docker-{ID}.scope", f"wherry.slice/docker-{ID}.scope"])
def test_the_second_version_has_one_file(tmp_path: Path, place: str) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    file = tmp_path / place / "cpu.max"
    file.parent.mkdir(parents=True)
    file.write_text("max 100000\n")
    cap = ProcessorCap(ID, tmp_path)
    assert cap.now() == "max 100000"
    assert cap.set(0.03)
    assert file.read_text() == "1000 33333"
    assert cap.put_back("max 100000")
    assert file.read_text() == "max 100000"


@pytest.mark.parametrize("place", [f"docker/{ID}", f"system.slice/docker-{ID}.scope"])
def test_the_first_version_has_two(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "cpu" / place
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("-1\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    cap = ProcessorCap(ID, tmp_path)
    assert cap.now() == "-1 100000"
    assert cap.set(0.5)
    assert ((folder / "cpu.cfs_quota_us").read_text(), (folder / "cpu.cfs_period_us").read_text()) == ("5000", "10000")
    assert cap.put_back("-1 100000")
    assert cap.now() == "-1 100000"


@pytest.mark.parametrize("wished", [0.0001, 0.001, 0.003, 0.05, 0.7, 1.0])
def test_the_kernel_takes_what_is_written(tmp_path: Path, wished: float) -> None:
    folder = tmp_path / "cpu" / "docker" / ID
    folder.mkdir(parents=True)
    cap = ProcessorCap(ID, tmp_path)
    assert cap.set(wished)
    quota, period = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
    assert quota >= 1_000
    assert 1_000 <= period <= 1_000_000
    assert quota / period == pytest.approx(max(wished, 0.001), rel=0.01)


def test_a_container_that_is_gone_is_no_error(tmp_path: Path) -> None:
    cap = ProcessorCap(ID, tmp_path)
    assert (cap.now(), cap.set(0.1), cap.put_back("-1 100000"), cap.put_back("")) == ("", False, False, False)


@pytest.mark.parametrize(
    ("cap", "allowed"), [("max 100000", float("inf")), ("-1 100000", float("inf")), ("5000 10000", 0.5), ("", float("inf"))]
)
def test_a_cap_reads_as_cores(cap: str, allowed: float) -> None:
    assert cores(cap) == allowed
