"""Failpoints: off they are nothing, on they do what they say, and code, list and page name the same stages."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wherry import failpoint, settings
from wherry.errors import InvalidInput

ROOT = Path(__file__).parents[1]
CALL = re.compile(r"failpoint\.at\((.*?)\)")


def stages_in_code() -> list[str]:
    files = [path for path in (ROOT / "platform" / "wherry").rglob("*.py") if path.name != "failpoint.py"]
    return [found.strip('"') for path in files for found in CALL.findall(path.read_text("utf-8"))]


def process(text: str, folder: Path, *stages: str) -> subprocess.CompletedProcess[str]:
    """A process that passes these stages and says "through" after each."""
    program = "import sys; from pathlib import Path; from wherry import failpoint; failpoint.arm(sys.argv[1], Path(sys.argv[2]))\n"
    program += 'for stage in sys.argv[3:]:\n    failpoint.at(stage)\n    print("through", flush=True)\n'
    argv = [sys.executable, "-c", program, text, str(folder), *stages]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT / "platform")}, timeout=20)


def test_each_stage_is_at_one_place_in_the_code_and_in_the_page() -> None:
    assert sorted(stages_in_code()) == sorted(failpoint.STAGES)
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+?) \|", page, re.MULTILINE)
    assert [row for row in rows if row[0] in failpoint.STAGES] == list(failpoint.STAGES.items())


def test_without_the_setting_nothing_happens(tmp_path: Path) -> None:
    assert settings.load({"WHERRY_HOME": str(tmp_path)}).failpoints == ""
    done = process("", tmp_path, *failpoint.STAGES)
    assert done.stdout.count("through") == len(failpoint.STAGES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("action", "status", "said"),
    [
        ("kill", -signal.SIGKILL, ""),
        ("exit", failpoint.EXIT_STATUS, ""),
        ("enospc", 1, "No space left on device"),
        ("eio", 1, "Input/output"),
    ],
)
def test_a_stage_does_what_it_was_told(tmp_path: Path, action: str, status: int, said: str) -> None:
    done = process(f"create={action};drain=note", tmp_path / "none", "drain", "create", "start")
    assert (done.returncode, done.stdout) == (status, "through\n")
    assert said in done.stderr


def test_where_the_folder_is_each_strikes_once_and_leaves_its_name(tmp_path: Path) -> None:
    assert process("*=kill", tmp_path, "create").returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == ["create"]
    assert process("*=kill", tmp_path, "create", "create").stdout == "through\nthrough\n"


@pytest.mark.parametrize("text", ["create", "create=", "nope=kill", "create=explode", "create=sleep", "create=kill,drain=kill"])
def test_what_is_no_failpoint_is_refused_with_the_form(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match=r"WHERRY_FAILPOINTS=.*e.g. create=kill;drain=sleep:5"):
        settings.load({"WHERRY_HOME": str(tmp_path), "WHERRY_FAILPOINTS": text})
