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
from wherry.building.failure import refuse
from wherry.building.versions import Wish, wish
from wherry.model.build_settings import BuildSettings

WEB = "web"


@dataclass(frozen=True)
class Planned:
    """`processes` is None when only the image can tell (a Dockerfile without a Procfile). `dockerfile` is the path of the
    Dockerfile, of the app's own or of the one that is written."""

    tree: Tree
    detected: Detected
    processes: dict[str, str] | None
    wish: Wish | None = None
    asked: AppJSON = field(default_factory=AppJSON)
    dockerfile: str = detect.DOCKERFILE

    @property
    def buildpack(self) -> str:
        return self.detected.buildpack.name if self.detected.buildpack else "dockerfile"


def plan(tree: Tree, packs: Sequence[Buildpack], line: Line, settings: BuildSettings | None = None) -> Planned:
    """Reads what the push and the app's build settings say, and warns of what has no effect. Raises DeployFailed for what
    is wrong."""
    settings = settings or BuildSettings()
    tree = tree.below(settings.dir)
    detected = _detected(tree, packs, settings)
    asked = _app_json(tree)
    processes = _processes(tree, detected)
    version = wish(tree, detected.buildpack) if detected.buildpack else None
    dockerfile = settings.dockerfile if settings.dockerfile and detected.buildpack is None else detect.DOCKERFILE
    planned = Planned(tree, detected, processes, version, asked, dockerfile)
    for warning in [*asked.warnings, *_warnings(tree, processes), *_without_effect(planned, settings)]:
        line(f" !     {warning}")
    return planned


def heading(planned: Planned, version: str) -> str:
    """`-----> Python 3.12 (requirements.txt; version from .python-version)`"""
    pack, how = planned.detected.buildpack, planned.detected.plan
    if pack is None or how is None:
        where = f" ({planned.dockerfile})" if planned.dockerfile != detect.DOCKERFILE else ""
        return f"-----> Dockerfile{where}"
    origin = f"version from {planned.wish.source}" if planned.wish else "the default version"
    if planned.wish and planned.wish.least and planned.wish.text != version:
        origin = f"{planned.wish.source} asks for {planned.wish.text} or later"
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
    rules = _rules(planned)
    kept = [name for name in tree.members if not rules.leaves_out(name)]
    made = Context()
    if pack is None:
        made.add_tree("", tree, kept if planned.dockerfile in kept else [*kept, planned.dockerfile])
        return made
    for name in planned.detected.files:
        made.add_text(f"deps/{name}", (tree.text(name, MAX_LOCK) or "").encode())
    made.add_text("buildpack/install", (pack.folder / "install").read_bytes())
    if planned.detected.programs:
        folders = dict.fromkeys(f"./{program.folder}" for program in planned.detected.programs)
        made.add_text("buildpack/programs", "".join(f"{folder}\n" for folder in folders).encode())
    made.add_tree("app/", tree, kept)
    return made


def _rules(planned: Planned) -> ignore.Ignore:
    """What is left out. Like BuildKit, a Dockerfile's own list goes before the one at the top."""
    for name in (f"{planned.dockerfile}.dockerignore", ".dockerignore"):
        if planned.tree.has(name):
            return ignore.parse(planned.tree.text(name) or "")
    return ignore.Ignore()


def _detected(tree: Tree, packs: Sequence[Buildpack], settings: BuildSettings) -> Detected:
    """What the settings ask for, else what the tree says."""
    if settings.builder == "buildpack":
        return detect.detect(tree.without(detect.DOCKERFILE), packs)
    path = settings.dockerfile or (detect.DOCKERFILE if settings.builder == "dockerfile" else "")
    if not path:
        return detect.detect(tree, packs)
    if tree.text(path) is None:
        fix = "Commit it, or change the setting: wherry build:set APP dockerfile=PATH"
        raise refuse(f"the build settings ask for {path}, which is not in the push", fix, code="no_dockerfile")
    return Detected()


def _without_effect(planned: Planned, settings: BuildSettings) -> list[str]:
    pack = planned.detected.buildpack
    if pack is None or not (settings.args or (settings.dockerfile and settings.builder == "buildpack")):
        return []
    names = [*(f"arg.{name}" for name in settings.args), *(["dockerfile"] if settings.dockerfile else [])]
    return [f"without effect: the build settings {', '.join(names)}; {pack.title} is built by a buildpack, not by a Dockerfile"]


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
