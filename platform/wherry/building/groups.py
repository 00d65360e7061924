"""Where the steps of builds run: the cgroups that are there now, looked for seldom, because they are asked for ten times a second."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from wherry import clock

KNOWN_FOR, LISTED_FOR = 0.05, 1.0
"""Seconds that it is known which cgroups there are, less than between two looks at a build, and which files they have."""
EVERYWHERE = "**/"
"""Before a file's name: in the cgroup and in those below it."""


class Groups:
    """Below `root`, with a tree for each controller or `one_tree` for all of them."""

    def __init__(self, root: Path, now: Callable[[], float] = clock.monotonic) -> None:
        self._root, self._now = root, now
        self._known: dict[tuple[str, str], tuple[float, list[Path]]] = {}
        self._names: dict[Path, frozenset[str]] = {}
        self._listed = float("-inf")

    @cached_property
    def one_tree(self) -> bool:
        return (self._root / "cgroup.controllers").exists()

    def files(self, name: str, patterns: tuple[str, ...]) -> Iterator[Path]:
        """The places of `controller/file` in every cgroup that matches one of the patterns, as far as they are there."""
        controller, _, file = name.partition("/")
        for pattern in patterns:
            for folder in self._folders("" if self.one_tree else controller, pattern):
                if file.startswith(EVERYWHERE):
                    yield from (Path(below, file.removeprefix(EVERYWHERE)) for below in _below(str(folder)))
                elif file in self._names_in(folder):
                    yield folder / file

    def _folders(self, controller: str, pattern: str) -> list[Path]:
        at, folders = self._known.get((controller, pattern), (float("-inf"), []))
        if self._now() - at < KNOWN_FOR:
            return folders
        found = _matching(f"{self._root}/{controller}", pattern)
        self._known[controller, pattern] = self._now(), found
        if self._now() - self._listed > LISTED_FOR:  # those that are gone are forgotten with the rest
            self._names, self._listed = {}, self._now()
        return found

    def _names_in(self, folder: Path) -> frozenset[str]:
        """What files a cgroup has seldom changes. One that shows none is only being made, or is not there."""
        names = self._names  # another build's thread may begin a new one meanwhile
        found = names.get(folder)
        if not found:
            found = frozenset[str]()
            with contextlib.suppress(OSError), os.scandir(folder) as there:
                found = names[folder] = frozenset(entry.name for entry in there)
        return found


def _matching(top: str, pattern: str) -> list[Path]:
    """A star stands in the last part only. Path.glob does the same in four times the processor."""
    parent, _, name = f"{top}/{pattern}".rpartition("/")
    if "*" not in name:
        return [Path(parent, name)] if os.access(f"{parent}/{name}", os.F_OK) else []
    with contextlib.suppress(OSError), os.scandir(parent) as there:
        return [Path(entry.path) for entry in there if fnmatchcase(entry.name, name) and entry.is_dir()]
    return []


def _below(folder: str) -> Iterator[str]:
    """The folder itself, and all in it. One that is gone by the time it is read has none."""
    yield folder
    with contextlib.suppress(OSError), os.scandir(folder) as there:
        for inside in [entry.path for entry in there if entry.is_dir(follow_symlinks=False)]:
            yield from _below(inside)
