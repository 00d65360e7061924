"""Finds the programs of an app in a compiled language, from the tree alone: what will be built, and what can be started."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from wherry.building import look
from wherry.building.archive import Tree
from wherry.building.buildpack import Buildpack, ProgramRule

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""A program's name becomes a command line, so it is none that a shell reads in another way."""
HEAD = 64 * 1024
"""What is looked for stands near the start of a source file."""


@dataclass(frozen=True)
class Program:
    """`folder` is where its source lies, or the file that names it; empty for the top of the tree."""

    name: str
    folder: str


def find(tree: Tree, pack: Buildpack) -> tuple[Program, ...]:
    """By folder and name, each name once; only those that the app itself names, where it does."""
    if not pack.programs:
        return ()
    found = _by(tree, (rule for rule in pack.programs if not rule.last))
    named = look.find(tree, pack.wanted) if pack.wanted else None
    if not found or named:
        found |= _by(tree, (rule for rule in pack.programs if rule.last))
    kept = {program for program in found if not named or any(_meant(program, word) for word in named.split())}
    first = {program.name: program for program in sorted(kept, key=lambda program: program.folder, reverse=True)}
    return tuple(sorted(first.values(), key=lambda program: (program.folder, program.name)))


def default(programs: tuple[Program, ...]) -> Program | None:
    """The only program, or the only one at the top of the tree; None where nothing says which one is meant."""
    top = [program for program in programs if not program.folder]
    only = programs if len(programs) == 1 else top
    return only[0] if len(only) == 1 else None


def _meant(program: Program, word: str) -> bool:
    """Whether a pattern such as `.`, `./cmd/web` or `./cmd/...` stands for this program's folder."""
    path = "" if word == "." else word.removeprefix("./").rstrip("/")
    below = path.removesuffix("...").rstrip("/")
    if path.endswith("..."):
        return not below or program.folder == below or program.folder.startswith(f"{below}/")
    return program.folder == path


def _by(tree: Tree, rules: Iterable[ProgramRule]) -> set[Program]:
    return {program for rule in rules for path in tree.members for program in _programs(tree, rule, path)}


def _programs(tree: Tree, rule: ProgramRule, path: str) -> Iterator[Program]:
    match = rule.path.fullmatch(path)
    if not match or not tree.members[path].isreg() or not _holds(tree, rule, path):
        return
    groups = match.groupdict()
    file = rule.file.replace("{folder}", groups.get("folder") or "")
    folder = str(PurePosixPath(file or path).parent)
    names = [groups["name"]] if groups.get("name") else _names(tree, rule, file)
    yield from (Program(name, "" if folder == "." else folder) for name in names if NAME.fullmatch(name))


def _holds(tree: Tree, rule: ProgramRule, path: str) -> bool:
    if rule.pattern is None and rule.unless is None:
        return True
    text = tree.read(tree.members[path], HEAD).decode("utf-8", "replace")
    return (rule.pattern is None or bool(rule.pattern.search(text))) and not (rule.unless and rule.unless.search(text))


def _names(tree: Tree, rule: ProgramRule, file: str) -> list[str]:
    if rule.named is None or not tree.has(file):
        return []
    return [match[1] for match in rule.named.finditer(tree.text(file) or "")]
