"""A copy of the sample app to run and to damage, as a release would find it: in a folder of its own."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SAMPLE_APP = Path(__file__).parents[2] / "sample_app"


class App:
    """Runs the scripts of the copy in `folder`. -S leaves site-packages out: they must need nothing installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-S", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)

    def start(self, script: str, env: dict[str, str]) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-S", script]
        process = subprocess.Popen(command, cwd=self.folder, env=env, stdout=pipe, stderr=pipe, text=True)
        self.started.append(process)
        return process

    def stop_all(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()

    def change(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} holds no {old!r}"
        path.write_text(text.replace(old, new, 1))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    folder = tmp_path / "digits"
    shutil.copytree(SAMPLE_APP, folder, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    copy = App(folder)
    yield copy
    copy.stop_all()
