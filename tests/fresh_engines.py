"""What scripts/test-engines runs where, how it reads pytest's answer, and the page that keeps it (docs/engines.md)."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fresh_support import ROOT, Failed, Machine, tail

KEPT = ROOT / "tests" / "engines.json"
PAGE = ROOT / "docs" / "engines.md"
MEMORY = ("--memory", "4G")
BUILT = Path("/var/tmp/wherry-engines/built")
PACKAGED = """\
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends docker.io docker-cli >/dev/null
"""
"""What an engine of source needs around it."""
LIMIT = 3000.0
"""Seconds for a part."""


@dataclass(frozen=True)
class System:
    """A machine to make, and whether its Docker shall keep images in containerd: None leaves it to Docker. `dockerd` is the Go module
    and version of an engine that the distribution does not have yet."""

    title: str
    options: tuple[str, ...] = ()
    containerd: bool | None = None
    dockerd: str = ""

    @property
    def init(self) -> str:
        """Whether systemd runs in it."""
        return "yes" if self.options and "--no-systemd" not in self.options else "no"


SYSTEMS = {
    "here": System("Debian 12, where it is developed"),
    "bookworm": System("Debian 12", ("--suite", "bookworm", *MEMORY)),
    "bookworm-bare": System("Debian 12, bare", ("--suite", "bookworm", "--no-systemd", *MEMORY)),
    "trixie": System("Debian 13", ("--suite", "trixie", *MEMORY)),
    "trixie-bare": System("Debian 13, bare", ("--suite", "trixie", "--no-systemd", *MEMORY)),
    "forky-bare": System("Debian 14, classic image store", ("--suite", "forky", "--no-systemd", *MEMORY), containerd=False),
    "forky-containerd": System("Debian 14, containerd's image store", ("--suite", "forky", "--no-systemd", *MEMORY), containerd=True),
    "forky-next": System(
        "Debian 14, the next Docker",
        ("--suite", "forky", "--no-systemd", *MEMORY),
        dockerd="github.com/moby/moby/v2/cmd/dockerd@v2.0.0-beta.24",
    ),
}
ENGINE = "(engine or scenario) and not slow"
PARTS = {
    "rest": ["-n", "3", "-m", "not engine and not scenario and not slow", "--ignore=tests/routing"],
    "routing": ["-m", "not engine and not scenario and not slow", "tests/routing"],
    "running": ["-m", ENGINE, "tests/running"],
    "building": ["-m", ENGINE, "tests/building"],
    "reconciler": ["-m", ENGINE, "tests/reconciler"],
    "scenarios": ["-m", ENGINE, "tests/scenarios"],
}
WITH = ("Docker", "HAProxy", "Python", "images", "cgroups")
INTRODUCTION = """\
# Engines and systems

Written by `scripts/test-engines`; edits do not stay. It makes a fresh machine of each system in namespaces, with the packages of its
distribution, puts a clone of the repository in it, runs `scripts/prepare` there, and then the tests: all that are not `slow`.

    sudo scripts/test-engines                                          # everything: some hours of two processors
    sudo scripts/test-engines trixie --parts scenarios --keep          # a part on one; the machine stays for the next

The processors and the kernel are the host's; limits of builds on a kernel with one tree of cgroups are tried by `scripts/test-cgroup2`.
`rest` is everything that needs no Docker engine, `routing` the tests on the real HAProxy; the others need the real engine, and `scenarios`
is a whole platform made by `scripts/up`, that people push to. The next Docker is in no distribution yet: Go makes its newest test version
from source (API 1.56), around Debian's containerd and runc. A part that is not green is not hidden: its tests are listed below, as they
were at that commit. `+` behind a commit: with changes that were committed later.

## Systems
"""
VERSIONS = r"""echo "Docker $(docker version -f '{{.Server.Version}}')"
echo "HAProxy $(haproxy -v | sed -nE '1s/.*version ([0-9.]+).*/\1/p')"
echo "Python $(python3 -V | cut -d' ' -f2)"
echo "images $(docker info -f '{{.Driver}}')"
echo "cgroups v$(docker info -f '{{.CgroupVersion}}')"
"""


@dataclass(frozen=True)
class Result:
    """How one part went: pytest's status, its last line in short, and what was red."""

    status: int
    words: str
    bad: tuple[str, ...] = ()


class Here:
    """The checkout on the machine that it is on, prepared before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.versions_seen: dict[str, str] = {}

    def versions(self) -> dict[str, str]:
        self.versions_seen = dict(line.split(" ", 1) for line in self._sh(VERSIONS).splitlines())
        return self.versions_seen

    def pytest(self, words: list[str]) -> str:
        return self._sh(f"cd {self.root} && {_pytest(words)}")

    def stop(self) -> None:
        pass

    def _sh(self, script: str) -> str:
        return subprocess.run(
            ["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT
        ).stdout


class Inside(Here):
    """The checkout in a fresh machine."""

    def __init__(self, machine: Machine, system: System) -> None:
        super().__init__(Path("/root/wherry"))
        self.machine, self.system = machine, system

    def prepare(self) -> None:
        """What a developer does first. Raises Failed."""
        if self.system.containerd is not None:
            wish = json.dumps({"features": {"containerd-snapshotter": self.system.containerd}})
            self.machine.run(f"mkdir -p /etc/docker && echo '{wish}' > /etc/docker/daemon.json")
        if self.system.dockerd:
            self.machine.run(PACKAGED)
            self.machine.put(engine_of_source(self.system.dockerd), "/usr/local/sbin/dockerd")
        self.machine.run("cd wherry && scripts/prepare", 1800)

    def stop(self) -> None:
        self.machine.stop()

    def _sh(self, script: str) -> str:
        """/tmp of such a machine is in its memory: what is large goes to the disk."""
        return self.machine.run(f"export TMPDIR=/var/tmp\n({script}) || true", LIMIT)


def engine_of_source(module: str) -> Path:
    """The program that Go makes of this module, made once. Raises Failed."""
    program = BUILT / module.replace("/", "_")
    if not program.exists():
        BUILT.mkdir(parents=True, exist_ok=True)
        version = f"-X github.com/moby/moby/v2/dockerversion.Version={module.partition('@')[2]}"
        environment = {**os.environ, "GOBIN": str(BUILT), "CGO_ENABLED": "0"}
        done = subprocess.run(
            ["go", "install", "-trimpath", "-ldflags", f"-s -w {version}", module], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode:
            raise Failed(f"Go made no {module}:\n{tail(done.stdout)}")
        (BUILT / "dockerd").rename(program)
    return program


def _pytest(words: list[str]) -> str:
    """Temporary files lie in a folder with a short name, as in scripts/test: a platform's home has 70 letters at most."""
    quoted = " ".join(f"'{word}'" for word in words)
    tests = f'TESTCONTAINERS_RYUK_DISABLED=true .venv/bin/python -m pytest -q --basetemp "$t" {quoted} 2>&1'
    return f't=$(mktemp -d) && {{ {tests}; rm -rf "$t"; }}'


def result_of(text: str) -> Result:
    """Reads pytest's short summary: `2 failed, 31 passed, 1 skipped in 12.3s`."""
    counts = re.findall(r"\b(\d+) (failed|passed|skipped|errors?)\b", text.strip().splitlines()[-1] if text.strip() else "")
    bad = tuple(line for line in text.splitlines() if re.match(r"(FAILED|ERROR) tests/", line))
    if not counts:
        return Result(1, "no result", tuple(tail(text).splitlines()))
    red = any(what != "passed" and what != "skipped" for _, what in counts)
    return Result(int(red), ", ".join(f"{number} {what}" for number, what in counts), bad)


def keep(name: str, at: str, versions: Mapping[str, str], results: Mapping[str, Result]) -> None:
    """Notes how the parts went at a commit, beside what was kept of other parts and systems; then writes the page."""
    kept: dict[str, Any] = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    system = kept.setdefault(name, {"parts": {}})
    system["with"] = dict(versions)
    now = {"on": datetime.now(UTC).strftime("%Y-%m-%d"), "at": at}
    system["parts"] |= {part: {"result": result.words, "red": list(result.bad), **now} for part, result in results.items()}
    KEPT.write_text(json.dumps({name: kept[name] for name in SYSTEMS if name in kept}, indent=1) + "\n", "utf-8")
    PAGE.write_text("\n".join(page(kept)) + "\n", "utf-8")


def page(kept: Mapping[str, Any]) -> Iterator[str]:
    """The lines of docs/engines.md."""
    yield INTRODUCTION
    rows = ([system.title, system.init, *_versions(kept[name]["with"])] for name, system in SYSTEMS.items() if name in kept)
    yield from _table(("system", "systemd", *WITH), rows)
    yield "\n## Results\n"
    yield from _table(("system", *PARTS, "at"), ([SYSTEMS[name].title, *_results(kept[name]["parts"])] for name in SYSTEMS if name in kept))
    yield from _red(kept)


def _versions(found: Mapping[str, str]) -> list[str]:
    return [found.get(what, "") for what in WITH]


def _results(parts: Mapping[str, Any]) -> list[str]:
    at = dict.fromkeys(f"{part['on']} {part['at']}" for part in parts.values())
    return [*(parts[name]["result"] if name in parts else "not run" for name in PARTS), ", ".join(at)]


def _red(kept: Mapping[str, Any]) -> Iterator[str]:
    lines = [(name, line) for name, system in kept.items() for part in system["parts"].values() for line in part["red"]]
    if lines:
        yield "\n## What was red\n"
        yield from (f"- {SYSTEMS[name].title}: `{line.strip()}`" for name, line in lines)


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def commit() -> str:
    """The last commit, in short; it is asked for before the tests, so that work may go on beside them."""
    said = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], check=True, capture_output=True, text=True)
    return said.stdout.strip()
