"""`scripts/up` and the platform's own commands, refused: run as the programs they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wherry.supervisor import lock

ROOT = Path(__file__).parents[2]


def wherry(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", str(ROOT / "platform" / "wherry" / "main.py"), *words]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=30, env={"PATH": os.environ["PATH"], **env}, stdin=subprocess.DEVNULL
    )


def test_uninstall_without_purge_removes_nothing_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "settings.env").touch()
    done = wherry("uninstall", WHERRY_HOME=str(tmp_path))
    assert done.returncode == 2 and "--purge" in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "settings.env").exists()


def test_a_folder_that_is_no_platform_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    done = wherry("uninstall", "--purge", "--confirm", "wherry", WHERRY_HOME=str(tmp_path))
    assert done.returncode == 4 and f"no platform in {tmp_path}" in done.stderr
    assert (tmp_path / "precious").exists()


def test_uninstall_with_another_name_removes_nothing(tmp_path: Path) -> None:
    (tmp_path / "settings.env").touch()
    (tmp_path / "state").mkdir()
    done = wherry("uninstall", "--purge", "--confirm", "else", WHERRY_HOME=str(tmp_path), WHERRY_NAME="demo")
    assert done.returncode == 2 and 'the name is "demo"' in done.stderr
    assert (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("words", "way"),
    [
        (("down",), "beside docker-compose.yml: docker compose down\n"),
        (("uninstall", "--purge", "--confirm", "wherry"), "docker compose down, then docker compose run --rm wherry uninstall --purge\n"),
    ],
)
def test_from_inside_a_container_that_runs_it_the_platform_is_neither_stopped_nor_removed(
    tmp_path: Path, words: tuple[str, ...], way: str
) -> None:
    for folder in ("state", "run"):
        (tmp_path / folder).mkdir()
    (tmp_path / "settings.env").touch()
    (tmp_path / "code").symlink_to(ROOT)
    held = lock.hold(tmp_path / "run" / "serve.lock")
    try:
        done = wherry(*words, WHERRY_HOME=str(tmp_path), WHERRY_NAME="wherry")
    finally:
        os.close(held)
    assert done.returncode == 5, done.stderr
    assert "wherry runs in a container, which Docker would start again" in done.stderr and done.stderr.endswith(way)
    assert (tmp_path / "state").exists()


def test_uninstall_where_nobody_can_type_the_name_removes_nothing(tmp_path: Path) -> None:
    (tmp_path / "settings.env").touch()
    (tmp_path / "state").mkdir()
    done = wherry("uninstall", "--purge", WHERRY_HOME=str(tmp_path), WHERRY_NAME="demo")
    assert done.returncode == 2 and done.stderr.endswith('nothing was removed: the name is "demo"\n') and (tmp_path / "state").exists()


@pytest.mark.parametrize("words", [(), ("frobnicate",), ("stack:set",), ("uninstall", "--force")])
def test_an_unknown_command_lists_the_known_ones(words: tuple[str, ...]) -> None:
    done = wherry(*words)
    assert done.returncode == 2 and "wherry serve" in done.stderr and "Traceback" not in done.stderr


def test_a_setting_out_of_form_is_named_with_an_example(tmp_path: Path) -> None:
    done = wherry("serve", WHERRY_HOME=str(tmp_path), WHERRY_HTTP_PORT="eighty")
    assert done.returncode == 2 and "WHERRY_HTTP_PORT='eighty'" in done.stderr and "8080" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="it takes root to try without")
@pytest.mark.parametrize("script", ["up", "down"])
def test_without_root_the_scripts_say_how_to_run_them(tmp_path: Path, script: str) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "platform" / "wherry").mkdir(parents=True)
    (tmp_path / "platform" / "wherry" / "main.py").touch()
    copy = tmp_path / "scripts" / script
    copy.write_bytes((ROOT / "scripts" / script).read_bytes())
    copy.chmod(0o755)
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run([str(copy)], capture_output=True, text=True, timeout=30, user="nobody", env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 1 and f"Run: sudo scripts/{script}" in done.stderr
