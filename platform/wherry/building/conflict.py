"""Refuses a file that still holds the two sides of a merge, before a tool stumbles over it in words of its own."""

from __future__ import annotations

from wherry.building.failure import refuse

CODE = "merge_conflict"
OURS, BETWEEN, THEIRS = "<<<<<<<", "=======", ">>>>>>>"


def check(name: str, text: str) -> None:
    """Raises DeployFailed when `text`, that of the file `name`, holds git's lines around a conflict."""
    line = _first(text) if OURS in text else 0
    if line:
        fix = "Resolve it and commit; a lock file is best written anew by its tool."
        raise refuse(f"{name} line {line}: a merge conflict that is not resolved", fix, code=CODE)


def _first(text: str) -> int:
    """The line in which the first whole conflict begins, 0 when there is none."""
    began, between = 0, False
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if line == OURS or line.startswith(f"{OURS} "):
            began, between = number, False
        elif began and line == BETWEEN:
            between = True
        elif between and (line == THEIRS or line.startswith(f"{THEIRS} ")):
            return began
    return 0
