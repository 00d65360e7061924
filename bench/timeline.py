"""Where the time of one push goes, from what leaves a time behind: git's trace, processes, the operation, its log, Docker.

All times are wall clock in seconds; a stage is the time between two marks that follow each other.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import docker_socket
from place import Place
from small_app import small_app
from watcher import Watcher

from scenario_support import Repository, Site, run

EVERY = 0.002
STAGES = (
    ("git starts ssh", "ssh"),
    ("ssh connects, logs in, receive-pack answers", "answered"),
    ("pack is sent and unpacked, hook starts", "hook"),
    ("hook looks, archives, queues", "queued"),
    ("engine takes it up", "claimed"),
    ("build is planned", "planned"),
    ("BuildKit builds", "built"),
    ("release is numbered", "released"),
    ("container is created", "created"),
    ("container is started", "started"),
    ("app boots, is seen to be ready", "ready"),
    ("traffic moves, new version answers", "live"),
    ("push returns", "returned"),
)
ROLLBACK = (
    ("command starts, asks the API, which queues", "queued"),
    ("engine takes it up", "claimed"),
    ("container is created", "created"),
    ("container is started", "started"),
    ("app boots, traffic moves, version answers", "live"),
    ("command returns", "returned"),
)
LINES = {"-----> Python": "planned", "-----> Built in": "built", "-----> Release": "released", " ready in ": "ready", "-----> Live": "said"}


def stages(place: Place, repository: Repository, version: str) -> dict[str, float]:
    """Pushes `version` and returns the seconds of each stage, by its name, in order."""
    site = place.site
    repository.commit(small_app(version))
    trace = repository.folder / ".git" / f"trace-{version}.json"
    env = {**os.environ, "GIT_SSH_COMMAND": " ".join(site.ssh_argv()), "GIT_TRACE2_EVENT": str(trace)}
    with _Log(site.home / "logs" / "operations") as log, _Processes() as processes, _visitor(place, repository) as watcher:
        offset = time.time() - time.monotonic()
        began = time.time()
        pushed = run(["git", "-C", str(repository.folder), "push", "-q", "wherry", "main"], env=env)
        returned = time.time()
        assert pushed.status == 0, pushed.text
        live = watcher.seen(version) + offset
    place.settled(repository.app)
    marks = {"began": began, "live": live, "returned": returned, "hook": processes.first(f"{site.home}/", "hooks/")}
    return between(STAGES, marks | _of_git(trace) | log.marks | marks_of(site, began, returned))


def marks_of(site: Site, began: float, ended: float) -> dict[str, float]:
    """What the last operation and Docker left behind: queued, claimed, created, started."""
    return _of_operation(site.home / "state" / "wherry.db") | _of_docker(site.name, began, ended)


def between(stages: tuple[tuple[str, str], ...], marks: Mapping[str, float]) -> dict[str, float]:
    """Seconds of each stage: from the mark before it to its own; the first begins at `began`."""
    found, before = {}, marks["began"]
    for name, mark in stages:
        found[name] = marks[mark] - before
        before = marks[mark]
    return found


def _visitor(place: Place, repository: Repository) -> Watcher:
    return Watcher("127.0.0.1", place.site.http_port, f"{repository.app}.localhost")


def _of_git(trace: Path) -> dict[str, float]:
    """When the client started ssh, and when the other side had answered, so that the pack could be made."""
    events = [json.loads(line) for line in trace.read_text("utf-8").splitlines()]
    starts = [event for event in events if event["event"] == "child_start"]
    ssh = next(event for event in starts if event["child_class"] == "transport/ssh")
    pack = next(event for event in starts if "pack-objects" in event["argv"])
    return {"ssh": _epoch(ssh["time"]), "answered": _epoch(pack["time"])}


def _of_operation(database: Path) -> dict[str, float]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        row = connection.execute("SELECT created_at, started_at FROM operations ORDER BY id DESC LIMIT 1").fetchone()
    connection.close()
    return {"queued": _epoch(row[0]), "claimed": _epoch(row[1])}


def _of_docker(platform: str, began: float, ended: float) -> dict[str, float]:
    labels = [f"wherry.platform={platform}"]
    events = docker_socket.events(began, ended, type=["container"], label=labels)
    first: dict[str, float] = {}
    for event in events:
        first.setdefault(event["Action"], event["timeNano"] / 1e9)
    return {"created": first["create"], "started": first["start"]}


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class _Looking:
    """Looks every two milliseconds in a thread of its own while the block runs."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._look()
            time.sleep(EVERY)

    def _look(self) -> None:
        raise NotImplementedError


class _Log(_Looking):
    """Notes when the lines of the next operation were written."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._before = set(folder.iterdir())
        self._file: Path | None = None
        self._read = 0
        self.marks: dict[str, float] = {}

    def _look(self) -> None:
        self._file = self._file or next(iter(set(self._folder.iterdir()) - self._before), None)
        if self._file is None:
            return
        now = time.time()
        lines = self._file.read_text("utf-8").splitlines()
        for line in lines[self._read :]:
            for words, mark in LINES.items():
                if words in line:
                    self.marks.setdefault(mark, now)
        self._read = len(lines)


class _Processes(_Looking):
    """Notes when processes came to be that were not there before, by their command lines."""

    def __init__(self) -> None:
        super().__init__()
        self._before = _pids()
        self.seen: dict[tuple[int, str], float] = {}

    def first(self, *words: str) -> float:
        """When a process with all `words` in its command line was first seen."""
        return min(at for (_, line), at in self.seen.items() if all(word in line for word in words))

    def _look(self) -> None:
        now = time.time()
        for pid in _pids() - self._before:
            with suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                self.seen.setdefault((pid, line), now)


def _pids() -> set[int]:
    return {int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()}
