"""Decides everything about a build that needs no engine: the language, the version, the processes, the Dockerfile.

Both builders, the real one and the one in memory, begin here, so that they refuse the same pushes in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from wherry.building import app_json, choice, classic, cnb, config_files, detect, generated, ignore, procfile, static_site, web_process
from wherry.building.app_json import AppJSON
from wherry.building.app_json_env import EnvVar
from wherry.building.app_json_scripts import PREDEPLOY
from wherry.building.archive import MAX_LOCK, Tree, open_tree
from wherry.building.builder import Line, Source
from wherry.building.buildpack import Buildpack, Generated, Plan
from wherry.building.choice import Choice
from wherry.building.classic import Classic
from wherry.building.cnb import CloudNative
from wherry.building.context import Context
from wherry.building.detect import Detected
from wherry.building.dockerfile import DOCKERFILE
from wherry.building.failure import refuse, shown
from wherry.building.look import holds
from wherry.building.static_site import Site
from wherry.building.versions import Wish, wish
from wherry.model.build_settings import BuildSettings
from wherry.secret import Secret
from wherry.settings import source_root

WEB = "web"
PROCFILE = "Procfile"


@dataclass(frozen=True)
class Planned:
    """`processes` is None when only the image can tell (a Dockerfile or classic buildpacks, without a Procfile). `dockerfile`
    is the path of the Dockerfile, of the app's own or of the one that is written, `procfile` that of the Procfile. `site`
    says how a static site is served, `classic` which classic buildpacks build the app, `lacking` which config vars are made up for it."""

    tree: Tree
    detected: Detected
    processes: dict[str, str] | None
    wish: Wish | None = None
    asked: AppJSON = field(default_factory=AppJSON)
    dockerfile: str = DOCKERFILE
    site: Site | None = None
    classic: Classic | None = None
    procfile: str = PROCFILE
    cnb: CloudNative | None = None
    lacking: tuple[Generated, ...] = ()

    @property
    def buildpack(self) -> str:
        if self.cnb:
            return cnb.NAME
        return self.detected.buildpack.name if self.detected.buildpack else "dockerfile"

    @property
    def language(self) -> Buildpack | None:
        """Whose version is chosen: of a site that is built, the builder's."""
        return self.detected.installer.buildpack


def plan(
    tree: Tree,
    packs: Sequence[Buildpack],
    line: Line,
    settings: BuildSettings | None = None,
    config: Mapping[str, Secret] | None = None,
    cnb_builder: str = "",
) -> Planned:
    """Reads what the push, the app's build settings and its config vars say, and warns of what has no effect. `cnb_builder` is the
    platform's builder image for Cloud Native Buildpacks. Raises DeployFailed for what is wrong."""
    settings = settings or BuildSettings()
    tree = tree.below(settings.dir)
    asked = app_json.of_tree(tree)
    chosen = choice.choose(tree, packs, settings, config or {}, asked, cnb_builder)
    detected = chosen.detected
    procfile_path = settings.procfile or PROCFILE
    for warning in _misspelt(tree, procfile_path):
        line(f" !     {warning}")
    processes = _processes(tree, chosen, procfile_path)
    version = wish(tree, detected.installer.buildpack) if detected.installer.buildpack else None
    dockerfile = settings.dockerfile if settings.dockerfile and detected.buildpack is None else DOCKERFILE
    site = _site(tree, detected)
    lacking = generated.lacking(tree, detected.buildpack, config or {})
    planned = Planned(tree, detected, processes, version, asked, dockerfile, site, chosen.classic, procfile_path, chosen.cnb, lacking)
    there = {*(config or {}), *(entry.config for entry in lacking)}
    warnings = [*asked.warnings, *(site.warnings if site else ()), *_warnings(tree, processes), *_lacking(tree, detected, there)]
    for warning in [*warnings, *_without_effect(planned, settings), *_nobodys(planned)]:
        line(f" !     {warning}")
    return planned


def env(source: Source) -> dict[str, EnvVar]:
    """See Builder."""
    return app_json.of_tree(open_tree(source.archive).below(source.settings.dir)).env


def later(asked: AppJSON) -> dict[str, str]:
    """The scripts that are not part of the build."""
    return {name: command for name, command in asked.scripts.items() if name != PREDEPLOY}


def heading(planned: Planned, version: str) -> str:
    """`-----> Python 3.12 (requirements.txt; version from .python-version)`"""
    pack, how = planned.detected.buildpack, planned.detected.plan
    if planned.classic:
        return classic.heading(planned.classic, version)
    if planned.cnb:
        return cnb.heading(planned.cnb)
    if pack is None or how is None:
        where = f" ({planned.dockerfile})" if planned.dockerfile != DOCKERFILE else ""
        return f"-----> Dockerfile{where}"
    by = planned.detected.by
    if by and by.buildpack and by.plan:
        return f"-----> {pack.title} ({how.what}), built by {_versioned(planned, by.buildpack, by.plan, version)}"
    return f"-----> {_versioned(planned, pack, how, version)}" if pack.versioned else f"-----> {pack.title} ({how.files[0]})"


def _versioned(planned: Planned, pack: Buildpack, how: Plan, version: str) -> str:
    origin = f"version from {planned.wish.source}" if planned.wish else "the default version"
    if planned.wish and planned.wish.least and planned.wish.text != version:
        origin = f"{planned.wish.source} asks for {planned.wish.text} or later"
    return f"{pack.title} {version} ({how.lock or how.files[0]}; {origin})"


def notes(planned: Planned) -> list[str]:
    """What was decided for the person who pushed, beyond the heading; indented lines."""
    lines = list(planned.detected.notes)
    if planned.detected.buildpack and not planned.tree.has(planned.procfile) and planned.processes and not planned.site:
        lines.append(f"no Procfile; {web_process.web_command(planned.tree, planned.detected)[1]}, so web: {planned.processes[WEB]}")
    lines += [f'{name}: {given} is run as "{meant}", so that SIGTERM reaches it' for name, given, meant in _seen_through(planned)]
    return [f"       {line}" for line in lines]


def context(planned: Planned, config: Mapping[str, Secret] | None = None, commit: str = "", packs: Path | None = None) -> Context:
    """The pushed files for the builder: at the root for a Dockerfile, under `app/` and `deps/` for a buildpack, with the
    app's config vars beside them. `packs` is the folder of buildpacks. A Dockerfile gets none: only what it says itself is in its build."""
    tree, pack = planned.tree, planned.detected.buildpack
    rules = _rules(planned)
    kept = [name for name in tree.members if not rules.leaves_out(name)]
    if planned.cnb:
        return cnb.context(planned.cnb, tree, kept, packs or source_root() / "buildpacks", config or {})
    made = Context()
    if pack is None:
        made.add_tree("", tree, kept if planned.dockerfile in kept else [*kept, planned.dockerfile])
        return made
    if planned.classic:
        _add_classic(made, planned.classic, pack, tree, commit)
        config_files.add(made, config or {})
        return made
    installer = planned.detected.installer
    texts = {name: tree.text(name, MAX_LOCK) or "" for name in installer.files}
    for name, text in texts.items():
        made.add_text(f"deps/{name}", text.encode())
    config_files.add(made, config or {}, texts.values())
    made.add_tree("deps/", tree, installer.gathered)
    for owner in (pack, installer.buildpack or pack):
        for name, script in owner.scripts().items():
            made.add_text(f"buildpack/{name}", script)
    made.add_text("buildpack/with_config", (pack.folder.parent / "with_config").read_bytes())
    if planned.site:
        made.add_text("buildpack/site.conf", planned.site.config.encode())
        made.add_text("buildpack/site.root", f"{planned.site.root}\n".encode())
    if planned.detected.programs:
        folders = dict.fromkeys(f"./{program.folder}" for program in planned.detected.programs)
        made.add_text("buildpack/programs", "".join(f"{folder}\n" for folder in folders).encode())
    left_out = installer.buildpack.leave_out if installer.buildpack else None
    kept = [name for name in kept if not (left_out and left_out.fullmatch(name))]
    if planned.site and not planned.detected.by:
        made.add_tree("app/", *planned.site.served(tree, kept))
    else:
        made.add_tree("app/", tree, kept)
    return made


def _add_classic(made: Context, chosen: Classic, pack: Buildpack, tree: Tree, commit: str) -> None:
    for name, data in classic.files(chosen, pack, commit).items():
        made.add_text(f"buildpack/{name}", data)
    made.add_tree("app/", tree, classic.kept(tree))


def _rules(planned: Planned) -> ignore.Ignore:
    """What is left out. Like BuildKit, a Dockerfile's own list goes before the one at the top."""
    for name in (f"{planned.dockerfile}.dockerignore", ".dockerignore"):
        if planned.tree.has(name):
            return ignore.parse(planned.tree.text(name) or "")
    return ignore.Ignore()


def _lacking(tree: Tree, detected: Detected, config: Set[str]) -> list[str]:
    """What an app of this language does not run without, and its config does not have."""
    notes = [note for note in (detected.buildpack.notes if detected.buildpack else ()) if note.config and note.config not in config]
    return [note.text for note in notes if holds(tree, note.when, note.unless)]


def _without_effect(planned: Planned, settings: BuildSettings) -> list[str]:
    if planned.cnb and planned.cnb.unknown:
        return [f"without effect in project.toml: {', '.join(planned.cnb.unknown)}"]
    pack = planned.detected.buildpack
    if pack is None or not (settings.args or (settings.dockerfile and settings.builder == "buildpack")):
        return []
    names = [*(f"arg.{name}" for name in settings.args), *(["dockerfile"] if settings.dockerfile else [])]
    return [f"without effect: the build settings {', '.join(names)}; {pack.title} is built by a buildpack, not by a Dockerfile"]


def _processes(tree: Tree, chosen: Choice, path: str) -> dict[str, str] | None:
    text, detected = tree.text(path), chosen.detected
    if text is None and path != PROCFILE:
        fix = "Commit it, or change the setting: wherry build:set APP procfile=PATH"
        raise refuse(f"the build settings ask for {path}, which is not in the push", fix, code="no_procfile")
    if chosen.cnb:
        return None
    if text is not None:
        pack = detected.installer.buildpack
        return {name: detect.direct(tree, pack, line) if pack else line for name, line in procfile.parse(text).items()}
    by_image = detected.buildpack is None or chosen.classic
    return None if by_image else {WEB: web_process.web_command(tree, detected)[0]}


def _seen_through(planned: Planned) -> list[tuple[str, str, str]]:
    """Process type, the command that the Procfile has, and the one that it starts, where they differ."""
    text = planned.tree.text(planned.procfile) if planned.processes else None
    given = procfile.parse(text) if text is not None else {}
    meant = planned.processes or {}
    return [(name, line, meant[name]) for name, line in given.items() if meant[name] != line]


def _site(tree: Tree, detected: Detected) -> Site | None:
    pack = detected.buildpack
    if pack is None or not pack.serves:
        return None
    return static_site.read(tree, pack, built=detected.by is not None, routed=detected.flags.get("routed", False))


def _warnings(tree: Tree, processes: dict[str, str] | None) -> list[str]:
    found = []
    found += [f"the folder {name} is empty: the files of a submodule are not in this archive" for name in _empty_modules(tree)]
    pointers = _lfs_pointers(tree)
    if pointers:
        more = f" and {len(pointers) - 1} more" if len(pointers) > 1 else ""
        found.append(f"{pointers[0]}{more}: Git LFS keeps the content elsewhere, so the app gets the pointer only. Commit the file itself")
    if processes is not None and WEB not in processes:
        near = next((f'; "{name}" is not it: write {WEB}' for name in processes if name.lower() == WEB), "")
        found.append(f"there is no web process, so no visitor is served; this app has: {', '.join(sorted(processes))}{near}")
    return found


def _misspelt(tree: Tree, path: str) -> list[str]:
    """A Procfile that an editor or a system gave another name: nobody reads it."""
    if tree.has(path):
        return []
    names = [name for name in tree.top() if name.lower() in ("procfile", "procfile.txt", "procfiles") and name != path]
    return [f"{shown(name)} is not read: it has to be called {path} (git mv {shown(name)} {path})" for name in names]


def _nobodys(planned: Planned) -> list[str]:
    """What app.json wishes for process types that the app does not have. A buildpack of others may bring more types than the Procfile."""
    if planned.classic or planned.cnb:
        return []
    there, asked = planned.processes or {WEB: ""}, planned.asked
    wished = {"formation": (*asked.formation, *asked.sizes), "healthchecks": tuple(asked.checks)}
    names = ", ".join(sorted(there))
    return [
        f"app.json: {key} has no effect for {shown(name)}; this app has: {names}"
        for key, types in wished.items()
        for name in dict.fromkeys(types)
        if name not in there
    ]


def _empty_modules(tree: Tree) -> list[str]:
    """Submodules whose files are not there. A push brings them; an archive made elsewhere may not."""
    text = (tree.text(".gitmodules") or "") if tree.has(".gitmodules") else ""
    paths = re.findall(r"(?m)^[ \t]*path[ \t]*=[ \t]*(\S.*?)[ \t]*$", text)
    return [shown(path) for path in paths if not any(name.startswith(f"{path}/") for name in tree.members)]


def _lfs_pointers(tree: Tree) -> list[str]:
    if not tree.has(".gitattributes") or "filter=lfs" not in (tree.text(".gitattributes") or ""):
        return []
    small = (name for name, member in tree.members.items() if member.isreg() and 100 < member.size < 300)
    return [name for name in small if tree.read(tree.members[name], 40).startswith(b"version https://git-lfs.github.com/spec/")]
