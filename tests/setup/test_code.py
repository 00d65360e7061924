"""The code in force: copied whole, swapped in one step, readable by the service users."""

import shutil
from pathlib import Path

import pytest

from wherry import settings
from wherry.errors import NotFound
from wherry.settings import Settings
from wherry.setup import code

ROOT = Path(__file__).parents[2]


@pytest.fixture
def wanted(tmp_path: Path) -> Settings:
    (tmp_path / "home").mkdir()
    return settings.load({"WHERRY_HOME": str(tmp_path / "home")})


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in a folder that nobody else can read, as in a person's home; of the rooms only one, the rest takes time to compile."""
    target = tmp_path / "private" / "wherry"
    target.mkdir(parents=True)
    (tmp_path / "private").chmod(0o700)
    rooms = [path.name for path in (ROOT / "platform" / "wherry").iterdir() if path.is_dir() and path.name != "model"]
    for name in code.NEEDED:
        source = ROOT / name
        shutil.copytree(source, target / name, ignore=shutil.ignore_patterns(*rooms)) if source.is_dir() else shutil.copy(source, target)
    return target


def test_the_code_is_put_in_place_once_and_readable_by_all(wanted: Settings, clone: Path) -> None:
    assert "in place" in code.ensure(wanted, clone)
    assert code.ensure(wanted, clone) == ""
    there = code.folder(wanted)
    assert (there / "platform" / "wherry" / "main.py").read_bytes() == (clone / "platform" / "wherry" / "main.py").read_bytes()
    for path in (there.resolve(), *there.resolve().rglob("*")):
        assert path.stat().st_mode & 0o005 >= (0o005 if path.is_dir() else 0o004), path


def test_a_hook_stays_executable(wanted: Settings, clone: Path) -> None:
    code.ensure(wanted, clone)
    assert (code.folder(wanted) / "hooks" / "pre-receive").stat().st_mode & 0o111


def test_changed_code_comes_in_force_and_the_version_before_stays_for_what_still_runs(wanted: Settings, clone: Path) -> None:
    code.ensure(wanted, clone)
    before = code.folder(wanted).resolve()
    (clone / "platform" / "wherry" / "clock.py").write_text("# other\n")
    assert "in place" in code.ensure(wanted, clone)
    after = code.folder(wanted).resolve()
    assert after != before and before.exists()
    assert (after / "platform" / "wherry" / "clock.py").read_text() == "# other\n"


def test_versions_do_not_pile_up(wanted: Settings, clone: Path) -> None:
    for number in range(4):
        (clone / "platform" / "wherry" / "clock.py").write_text(f"# {number}\n")
        code.ensure(wanted, clone)
    assert len(list((wanted.home / "versions").iterdir())) == code.KEPT


def test_an_incomplete_clone_is_named_as_such(wanted: Settings, clone: Path) -> None:
    shutil.rmtree(clone / "hooks")
    with pytest.raises(NotFound, match="has no hooks") as refused:
        code.ensure(wanted, clone)
    assert refused.value.code == "clone_incomplete" and "Clone" in refused.value.hint
    assert not code.folder(wanted).exists()
