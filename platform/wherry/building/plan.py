"""Decides everything about a build that needs no engine: the language, the version, the processes, the Dockerfile.

Both builders, the real one and the one in memory, begin here, so that they refuse the same pushes in the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wherry.building import app_json, detect, ignore, procfile
from wherry.building.app_json import AppJSON
from wherry.building.archive import MAX_LOCK, Tree
from wherry.building.builder import Line
from wherry.building.buildpack import Buildpack
from wherry.building.context import Context
from wherry.building.detect import Detected
from wherry.building.versions import Wish, wish

WEB = "web"


@dataclass(frozen=True)
class Planned:
    """`processes` is None when only the image can tell (a Dockerfile without a Procfile)."""

    tree: Tree
    detected: Detected
    processes: dict[str, str] | None
    wish: Wish | None = None
    asked: AppJSON = field(default_factory=AppJSON)

    @property
    def buildpack(self) -> str:
        return self.detected.buildpack.name if self.detected.buildpack else "dockerfile"


def plan(tree: Tree, packs: Sequence[Buildpack], line: Line) -> Planned:
    """Reads what the push says about itself, and warns of what has no effect. Raises DeployFailed for what is wrong."""
    detected = detect.detect(tree, packs)
    asked = _app_json(tree)
    processes = _processes(tree, detected)
    planned = Planned(tree, detected, processes, wish(tree, detected.buildpack) if detected.buildpack else None, asked)
    for warning in [*asked.warnings, *_warnings(tree, processes)]:
        line(f" !     {warning}")
    return planned


def heading(planned: Planned, version: str) -> str:
    """`-----> Python 3.12 (requirements.txt; version from .python-version)`"""
    pack, how = planned.detected.buildpack, planned.detected.plan
    if pack is None or how is None:
        return "-----> Dockerfile"
    origin = f"version from {planned.wish.source}" if planned.wish else "the default version"
    return f"-----> {pack.title} {version} ({how.lock or how.files[0]}; {origin})"


def notes(planned: Planned) -> list[str]:
    """What was decided for the person who pushed, beyond the heading; indented lines."""
    lines = list(planned.detected.notes)
    if planned.detected.buildpack and not planned.tree.has("Procfile") and planned.processes:
        lines.append(f"no Procfile; {detect.web_command(planned.tree, planned.detected)[1]}, so web: {planned.processes[WEB]}")
    return [f"       {line}" for line in lines]


def context(planned: Planned) -> Context:
    """The pushed files for the builder: at the root for a Dockerfile, under `app/` and `deps/` for a buildpack."""
    tree, pack = planned.tree, planned.detected.buildpack
    rules = ignore.parse(tree.text(".dockerignore") or "") if tree.has(".dockerignore") else ignore.Ignore()
    kept = [name for name in tree.members if not rules.leaves_out(name)]
    made = Context()
    if pack is None:
        made.add_tree("", tree, kept if detect.DOCKERFILE in kept else [*kept, detect.DOCKERFILE])
        return made
    for name in planned.detected.files:
        made.add_text(f"deps/{name}", (tree.text(name, MAX_LOCK) or "").encode())
    made.add_text("buildpack/install", (pack.folder / "install").read_bytes())
    made.add_tree("app/", tree, kept)
    return made


def _app_json(tree: Tree) -> AppJSON:
    text = tree.text("app.json")
    return app_json.parse(text) if text is not None else AppJSON()


def _processes(tree: Tree, detected: Detected) -> dict[str, str] | None:
    text = tree.text("Procfile")
    if text is not None:
        return procfile.parse(text)
    return None if detected.buildpack is None else {WEB: detect.web_command(tree, detected)[0]}


def _warnings(tree: Tree, processes: dict[str, str] | None) -> list[str]:
    found = []
    if tree.has(".gitmodules"):
        found.append("submodules are not part of a push: their folders are empty. Commit the files, or install them as a dependency")
    pointers = _lfs_pointers(tree)
    if pointers:
        more = f" and {len(pointers) - 1} more" if len(pointers) > 1 else ""
        found.append(f"{pointers[0]}{more}: Git LFS keeps the content elsewhere, so the app gets the pointer only. Commit the file itself")
    if processes is not None and WEB not in processes:
        found.append(f"there is no web process, so no visitor is served; this app has: {', '.join(sorted(processes))}")
    return found


def _lfs_pointers(tree: Tree) -> list[str]:
    if not tree.has(".gitattributes") or "filter=lfs" not in (tree.text(".gitattributes") or ""):
        return []
    small = (name for name, member in tree.members.items() if member.isreg() and 100 < member.size < 300)
    return [name for name in small if tree.read(tree.members[name], 40).startswith(b"version https://git-lfs.github.com/spec/")]
