"""Decides which files a `.slugignore` keeps out of a build by classic buildpacks.

Source of the rules: devcenter.heroku.com, "Slug Compiler": patterns like those of `.gitignore`, without `!`. As in git, a pattern
that is none leaves nothing out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wherry.building.failure import refuse
from wherry.building.glob import Glob, glob

FILE = ".slugignore"
MAX_RULES = 500


@dataclass(frozen=True)
class Rule:
    """`rooted`: the form is of a whole path, else of a name in any folder. `folder`: it holds for folders only."""

    form: Glob
    rooted: bool
    folder: bool

    def holds(self, path: str, is_folder: bool) -> bool:
        return (is_folder or not self.folder) and self.form.matches(path if self.rooted else path.rpartition("/")[2])


def parse(text: str) -> Callable[[str], bool]:
    """Says of a file's path (relative, with `/`) whether it is left out; what is in a folder goes with it."""
    lines = (line.strip() for line in text.splitlines())
    rules = [rule for line in lines if line.strip("/") and not line.startswith(("#", "!")) and (rule := _rule(line))]
    if len(rules) > MAX_RULES:
        raise refuse(f"{FILE} has {len(rules):,} patterns: up to {MAX_RULES} are allowed", "Leave out whole folders.")
    folders = {"": False}

    def below(folder: str) -> bool:
        if folder not in folders:
            folders[folder] = below(folder.rpartition("/")[0]) or any(rule.holds(folder, True) for rule in rules)
        return folders[folder]

    return lambda path: below(path.rpartition("/")[0]) or any(rule.holds(path, False) for rule in rules)


def _rule(line: str) -> Rule | None:
    """A pattern with a slash in front or inside starts at the root; others hold in every folder."""
    try:
        return Rule(glob(line.strip("/")), "/" in line.rstrip("/"), line.endswith("/"))
    except ValueError:
        return None
