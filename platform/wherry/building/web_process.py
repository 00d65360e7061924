"""Finds what an app without a Procfile runs as its web process, or says what was looked for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from wherry.building import programs
from wherry.building.archive import MAX_LOCK, Tree
from wherry.building.buildpack import ANYTHING, Buildpack, WebRule
from wherry.building.deeper import further_down
from wherry.building.detect import Detected
from wherry.building.failure import refuse
from wherry.building.look import Look, find
from wherry.building.programs import Program
from wherry.errors import DeployFailed

MOST_FOLDERS = 20
"""Folders that are looked into for each rule, before the app counts as unknown."""


def web_command(tree: Tree, detected: Detected) -> tuple[str, str]:
    """The `web` command of an app without a Procfile, and what it was recognised as. Raises DeployFailed when there is none."""
    pack = detected.buildpack
    assert pack is not None
    lacking = []
    for rule in pack.webs:
        match = _shown_in(tree, rule)
        if match is None:
            continue
        if _has_needs(tree, detected, rule):
            return _filled(rule.command, match), f"{rule.what} in {rule.file}"
        lacking.append(rule)
    if lacking:
        raise _lacks(detected, lacking[0])
    meant = programs.default(detected.programs)
    if meant is None:
        raise _several(detected.programs) if detected.programs else _unrecognised(tree, detected)
    return meant.name, f"{meant.name} is the {'only program' if len(detected.programs) == 1 else 'program at the top of the tree'}"


def _filled(command: str, match: re.Match[str]) -> str:
    return re.sub(r"\{(\d)\}", lambda place: str(match[int(place[1])]), command)


def _shown_in(tree: Tree, rule: WebRule) -> re.Match[str] | None:
    """The match of the rule's pattern. A file that only has to be there is not read: it need be no text of ours."""
    if not tree.has(rule.file):
        return None
    text = "" if rule.pattern is ANYTHING else find(tree, Look(rule.file, rule.key)) if rule.key else tree.text(rule.file)
    match = rule.pattern.search(text) if text is not None else None
    return None if match and rule.names and not tree.has(match[rule.names].removeprefix("./")) else match


def _several(found: tuple[Program, ...]) -> DeployFailed:
    """A compiled app has several programs, and nothing says which one is meant."""
    names = ", ".join(program.name for program in found[:12])
    message = f"there is no Procfile, and the app has {len(found)} programs: {names}"
    return refuse(message, f'Commit a Procfile with a line such as "web: {found[0].name}"', code="no_process")


def _has_needs(tree: Tree, detected: Detected, rule: WebRule) -> bool:
    """The recognised app needs a server among its dependencies; without one it would only fail later."""
    if not rule.needs:
        return True
    form = re.compile(rf"(?i)(?<![A-Za-z0-9_-]){re.escape(rule.needs)}(?![A-Za-z0-9_-])")
    texts = [tree.text(name, MAX_LOCK) or "" for name in detected.files]
    return any(form.search(text) or (rule.brought and rule.brought.search(text)) for text in texts)


def _lacks(detected: Detected, rule: WebRule) -> DeployFailed:
    return refuse(
        f"{rule.file} is a {rule.what} app without a Procfile, and {rule.needs} is not among its dependencies",
        f"Add {rule.needs} to {detected.files[0]}, or commit a Procfile with a web process of your own.",
        code="no_process",
    )


def _unrecognised(tree: Tree, detected: Detected) -> DeployFailed:
    pack = detected.buildpack
    assert pack is not None
    deeper = next(_further_down(tree, pack), None)
    where = f"; {deeper.rule.file} ({deeper.rule.what}) lies in {deeper.folder}/" if deeper else ""
    return refuse(
        f"there is no Procfile, and no web process was recognised{where}",
        _to_start_there(tree, detected, deeper) if deeper else pack.start or _procfile_hint(pack),
        code="no_process",
        heading="Looked for:",
        evidence=_looked_for(pack),
    )


@dataclass(frozen=True)
class Deeper:
    """A web process that would be recognised if `folder` were the top."""

    folder: str
    rule: WebRule
    command: str


def _further_down(tree: Tree, pack: Buildpack) -> Iterator[Deeper]:
    """Only what a file's text shows: an index.js in some folder may be anything."""
    for rule in (rule for rule in pack.webs if rule.pattern is not ANYTHING):
        for folder in itertools.islice(further_down(tree, rule.file), MOST_FOLDERS):
            try:
                match = _shown_in(tree.below(folder), rule)
            except DeployFailed:
                continue
            if match:
                yield Deeper(folder, rule, _filled(rule.command, match))


def _to_start_there(tree: Tree, detected: Detected, deeper: Deeper) -> str:
    """That folder as the app where it says what it depends on, else a line that goes there first."""
    line = f'"web: cd {deeper.folder} && {deeper.command}"'
    needed = "" if _has_needs(tree, detected, deeper.rule) else f", and add {deeper.rule.needs} to {detected.files[0]}"
    pack, below = detected.installer.buildpack, tree.below(deeper.folder)
    if pack and any(all(below.has(name) for name in plan.files) for plan in pack.plans):
        alone = f"To build that folder alone: wherry build:set APP dir={deeper.folder}"
        return f"{alone}. To build all and start what lies there, commit a Procfile with the line {line}"
    return f"Commit a Procfile with the line {line}{needed}"


def _looked_for(pack: Buildpack) -> tuple[str, ...]:
    """The files of the pack's rules, each with what would be recognised in it."""
    found: dict[str, list[str]] = {"Procfile": []}
    for rule in pack.webs:
        found.setdefault(rule.file, []).append(rule.what)
    whats = {file: ", ".join(dict.fromkeys(what for what in all_of if what != file)) for file, all_of in found.items()}
    return tuple(f"{file}: {what}" if what else file for file, what in whats.items())


def _procfile_hint(pack: Buildpack) -> str:
    example = next((rule.command.replace("{1}", "app") for rule in reversed(pack.webs) if not rule.command.startswith("{1}")), "./server")
    return f'Commit a Procfile with a line such as "web: {example}"'
