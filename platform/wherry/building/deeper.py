"""Finds files of the app's own that lie further down in its tree than at the top."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wherry.building.archive import Tree

NOT_THEIRS = re.compile(r"(?:^|/)(?:\.[^/]*|node_modules|vendor|venv|site-packages|__MACOSX|tests?)/")
"""Folders that hold what others wrote, or what is no app."""
PLAIN = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._/-]{0,79}")
"""A folder that a hint may put into a command line."""


def further_down(tree: Tree, file: str) -> Iterator[str]:
    """The folders of the app's own that hold `file`, those nearest to the top first."""
    found = sorted((name.count("/"), name) for name in tree.members if name.endswith(f"/{file}") and not NOT_THEIRS.search(name))
    yield from (folder for _, name in found if PLAIN.fullmatch(folder := name.removesuffix(f"/{file}")))
