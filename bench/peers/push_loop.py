#!/usr/bin/env python3
"""The push loop and the visitors of scripts/bench, pointed at any platform that is up already.

bench/peers/push_loop.py HOST ADDRESS PORT [--rounds N] [--visitors N] [--branch NAME] [--files FOLDER] (--remote URL | -- COMMAND …)
  HOST, ADDRESS, PORT  where the app answers: the Host header, and what is connected to
  --remote             the app's git remote; without it COMMAND deploys, run in the app's folder after each commit
  --branch             which branch the platform deploys; main when not given
  --files              what this platform wants beside the app's own files
Each round changes the version that the app answers with (Flask, gunicorn, a Procfile; a Dockerfile beside it when COMMAND deploys) and
deploys it. Prints how long it took until that version was answered, and until the deploy returned, and what the visitors lost
meanwhile. Git and ssh find their keys as they always do; GIT_SSH_COMMAND is passed on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(BENCH))

from figure import Row, table  # noqa: E402
from small_app import COMMAND, new_version, small_app  # noqa: E402
from watcher import Watcher  # noqa: E402

WHO = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
DOCKERFILE = f"""\
FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
ENV PORT=5000
EXPOSE 5000
CMD {COMMAND}
"""
"""For platforms that have no buildpacks."""


def main() -> int:
    given = _given()
    with tempfile.TemporaryDirectory() as folder, Watcher(given.address, given.port, given.host) as watcher:
        if given.files:
            shutil.copytree(given.files, folder, dirs_exist_ok=True)
        _git(folder, "init", "-q", "-b", given.branch)
        print("first deploy …", file=sys.stderr)
        _deploy(given, folder, watcher)
        with _visitors(given) as count:
            took = [_deploy(given, folder, watcher) for _ in range(given.rounds)]
    live, returned = (Row(name, tuple(values), "s") for name, values in zip(("live", "returned"), zip(*took, strict=True), strict=True))
    print("\n".join(table([("", "MEDIAN", "SPREAD", "N"), live.cells(), returned.cells()])))
    print(f"{count['answered']} requests answered, {count['lost']} lost, {count['backwards']} versions backwards {count['reasons']}")
    return 0


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--branch", default="main")
    parser.add_argument("--files", type=Path)
    parser.add_argument("--remote")
    parser.add_argument("command", nargs="*")
    given = parser.parse_args()
    if bool(given.remote) == bool(given.command):
        parser.error("give --remote URL, or a command after --")
    return given


def _deploy(given: argparse.Namespace, folder: str, watcher: Watcher) -> tuple[float, float]:
    """Seconds from the start of the deploy until the new version answered, and until it returned. The commit is made before."""
    version = new_version()
    for name, text in (small_app(version) | {"Dockerfile": DOCKERFILE} if given.command else small_app(version)).items():
        (Path(folder) / name).write_text(text, "utf-8")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", version)
    argv: Sequence[str] = given.command or ["git", "-C", folder, "push", "-q", given.remote, given.branch]
    began = time.monotonic()
    subprocess.run(argv, cwd=folder, check=True)
    returned = time.monotonic() - began
    live = watcher.seen(version, 600) - began
    print(f"live after {live:.2f} s, returned after {returned:.2f} s", file=sys.stderr)
    return live, returned


def _git(folder: str, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *WHO, *words], check=True)


@contextmanager
def _visitors(given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Asks without a pause while the block runs; afterwards the dict holds the count (load.py)."""
    argv = [sys.executable, str(BENCH / "load.py"), given.host, given.address, str(given.port), "/", str(given.visitors)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        count: dict[str, Any] = {}
        try:
            yield count
        finally:
            out, _ = process.communicate("", timeout=120)
            count.update(json.loads(out.splitlines()[-1]))


if __name__ == "__main__":
    sys.exit(main())
