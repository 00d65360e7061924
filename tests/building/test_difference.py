"""What turns an earlier environment into a new one, tried on folders: the outcome is the new one, whatever was there before."""

from __future__ import annotations

import os
import py_compile
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import building_support as support

PYTHON = support.PACKS / "python"
SITE = "lib/python3/site-packages"
BEFORE: dict[str, str] = {
    "pyvenv.cfg": "home = /usr/bin\n",
    "bin/python": "-> /usr/bin/python3",
    "bin/flask": "#!/venv/bin/python\n",
    f"{SITE}/flask/__init__.py": "VERSION = 1\n",
    f"{SITE}/flask/app.py": "APP = 1\n",
    f"{SITE}/flask-1.dist-info/RECORD": "flask\n",
    f"{SITE}/tests/__init__.py": "",
    f"{SITE}/data/names": "a\nb\n",
}


def environment(folder: Path, files: Mapping[str, str], *, compiled: bool = False) -> Path:
    """Compiled as an installer leaves it, long before now."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(text[3:])
            continue
        path.write_text(text)
        if compiled:
            os.utime(path, (1_500_000_000, 1_500_000_000))
        if compiled and path.suffix == ".py":
            py_compile.compile(str(path))
    return folder


def turned(before: Path, now: Path, out: Path, held: int | None = None) -> Path:
    """A copy of `before` with the difference put on."""
    made = out / "made"
    shutil.copytree(before, made, symlinks=True)
    differ(before, now, out / "difference", sum(path.lstat().st_size for path in before.rglob("*")) if held is None else held)
    if (added := out / "difference/added").exists():  # as the builder does it, which starts no program for that
        shutil.copytree(added, made, symlinks=True, dirs_exist_ok=True)
    else:
        subprocess.run(["sh", PYTHON / "apply", out / "difference", made], check=True)
    return made


def differ(before: Path, now: Path, out: Path, held: int) -> subprocess.CompletedProcess[str]:
    """By the list of what was before alone, as a build has it."""
    say("list", before)
    return say("between", before / ".wherry/files", now, out, held)


def say(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", PYTHON / "difference", *map(str, arguments)]
    environ = {**os.environ, "UV_COMPILE_BYTECODE": "1"}
    return subprocess.run(command, check=True, text=True, capture_output=True, env=environ)


def listing(folder: Path) -> dict[str, tuple[str, str]]:
    """Type and mode, and content; of bytecode only that it is there and of its source, for it knows the folder that it was made in."""
    return {str(path.relative_to(folder)): (oct(path.lstat().st_mode), _content(path)) for path in folder.rglob("*")}


def _content(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    if path.suffix == ".pyc":
        source = path.parent.parent / f"{path.name.split('.')[0]}.py"
        return str(int.from_bytes(path.read_bytes()[8:12], "little") == int(source.stat().st_mtime))
    return re.sub(r" \d+  (\S+\.pyc)", r" \1", path.read_text("utf-8", "surrogateescape")) if path.is_file() else ""


CHANGES: dict[str, dict[str, str | None]] = {
    "nothing": {},
    "a package more": {f"{SITE}/six.py": "SIX = 6\n", f"{SITE}/six-1.dist-info/RECORD": "six\n", "bin/six": "#!/venv/bin/python\n"},
    "an upgrade": {
        f"{SITE}/flask/app.py": "APP = 2\n",
        f"{SITE}/flask-1.dist-info/RECORD": None,
        f"{SITE}/flask-2.dist-info/RECORD": "2\n",
    },
    "a package less": {
        f"{SITE}/flask/__init__.py": None,
        f"{SITE}/flask/app.py": None,
        f"{SITE}/flask-1.dist-info/RECORD": None,
        "bin/flask": None,
    },
    "a source that is no Python": {f"{SITE}/flask/app.py": "def (:\n"},
    "a file where a folder was": {f"{SITE}/data/names": None, f"{SITE}/data": "text"},
    "a folder where a file was": {"bin/flask": None, "bin/flask/x": "text"},
    "a link where a folder was": {f"{SITE}/tests/__init__.py": None, f"{SITE}/tests": "-> flask"},
    "another target": {"bin/python": "-> /opt/python/bin/python3"},
    "odd names": {f"{SITE}/data/-rf": "x", f"{SITE}/data/new\nline": "x", f"{SITE}/data/caf\udce9": "x", f"{SITE}/data/names": None},
    "the same size": {f"{SITE}/data/names": "a\nc\n"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_outcome_is_the_new_environment(change: dict[str, str | None], tmp_path: Path) -> None:
    wanted = {name: text for name, text in {**BEFORE, **change}.items() if text is not None}
    before, now = environment(tmp_path / "before", BEFORE, compiled=True), environment(tmp_path / "now", wanted)
    made = turned(before, now, tmp_path)
    whole = environment(tmp_path / "whole", wanted)
    for path in whole.rglob("*.py"):
        py_compile.compile(str(path), quiet=2) if path.parent.is_dir() and not path.parent.is_symlink() else None
    say("list", whole)
    assert listing(made) == listing(whole)


def test_the_way_back_is_as_exact(tmp_path: Path) -> None:
    more = {**BEFORE, f"{SITE}/six.py": "SIX = 6\n", f"{SITE}/tests/test_six.py": ""}
    before, now = environment(tmp_path / "before", more, compiled=True), environment(tmp_path / "now", BEFORE)
    whole = environment(tmp_path / "whole", BEFORE, compiled=True)
    say("list", whole)
    assert listing(turned(before, now, tmp_path)) == listing(whole)


def test_a_mode_that_changed_is_a_change(tmp_path: Path) -> None:
    before, now = environment(tmp_path / "before", BEFORE, compiled=True), environment(tmp_path / "now", BEFORE)
    (now / "bin/flask").chmod(0o755)
    (now / SITE / "data").chmod(0o700)
    made = turned(before, now, tmp_path)
    assert [oct((made / name).stat().st_mode)[-3:] for name in ("bin/flask", f"{SITE}/data")] == ["755", "700"]


def test_bytecode_of_the_same_source_is_not_written_again(tmp_path: Path) -> None:
    before = environment(tmp_path / "before", BEFORE, compiled=True)
    now = environment(tmp_path / "now", {**BEFORE, f"{SITE}/flask/app.py": "APP = 2\n"})
    said = differ(before, now, tmp_path / "difference", 10_000).stdout
    added = tmp_path / "difference/added"
    names = [str(path.relative_to(added)) for path in added.rglob("*") if not path.is_dir()]
    tag = sys.implementation.cache_tag
    assert sorted(names) == [".wherry/files", f"{SITE}/flask/__pycache__/app.{tag}.pyc", f"{SITE}/flask/app.py"]
    assert said == "Installed 0 of 1 packages\n"


ADDED = {"nothing", "a package more", "a source that is no Python", "the same size"}


@pytest.mark.parametrize("change", CHANGES)
def test_what_only_adds_is_told_from_what_removes(change: str, tmp_path: Path) -> None:
    wanted = {name: text for name, text in {**BEFORE, **CHANGES[change]}.items() if text is not None}
    before, now = environment(tmp_path / "before", BEFORE), environment(tmp_path / "now", wanted)
    said = differ(before, now, tmp_path / "out", 10_000).stdout
    only_adds = change in ADDED
    assert ("wherry-removes\n" in said, (tmp_path / "out/added").exists()) == (not only_adds, only_adds)


@pytest.mark.parametrize(("held", "status"), [(60, 0), (110, 97)], ids=["less", "more"])
def test_layers_in_which_more_is_covered_up_than_seen_are_not_built_upon(held: int, status: int, tmp_path: Path) -> None:
    """Bytes in MB: what an environment of 60 takes in its layers, with 30 of them about to be replaced."""
    for name in ("before", "now"):
        environment(tmp_path / name, BEFORE)
        for part in ("a", "b"):
            with (tmp_path / name / part).open("wb") as file:
                file.write(b"new" if (name, part) == ("now", "a") else b"")
                file.truncate(30 * 1024**2)
    say("list", tmp_path / "before")
    command = [sys.executable, "-I", "-S", PYTHON / "difference", "between", tmp_path / "before/.wherry/files", tmp_path / "now"]
    assert subprocess.run([*command, tmp_path / "out", str(held * 1024**2)], check=False).returncode == status
