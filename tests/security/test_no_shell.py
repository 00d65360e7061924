"""No code path of ours reaches a shell or makes code of text: looked up in the syntax tree of every file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "platform").rglob("*.py"), *(ROOT / "hooks").glob("*.py")])
SHELLS = {"sh", "bash", "dash", "/bin/sh", "/bin/bash", "/usr/bin/env", "env", "su", "xargs"}
FORBIDDEN = {
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "pty.spawn",
    "eval",
    "exec",
    "compile",
    "pickle.loads",
    "pickle.load",
    "marshal.loads",
}
INSIDE_A_CONTAINER = {
    "platform/wherry/running/shell_line.py",
    "platform/wherry/reconciler/attendance.py",
}
"""Here the words are the app's own command, and the shell is the container's."""
OUR_OWN_SCRIPT = {"platform/wherry/setup/service.py"}
"""Here a file of ours is run, and its words are ours."""


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def dotted(called: ast.expr) -> str:
    """`os.system`, `run`; of what has no name, what follows its last dot at most."""
    if isinstance(called, ast.Attribute):
        return f"{dotted(called.value)}.{called.attr}"
    return called.id if isinstance(called, ast.Name) else ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_starts_a_shell_or_makes_code_of_text(path: Path) -> None:
    tree, name = ast.parse(path.read_text("utf-8")), path.relative_to(ROOT).as_posix()
    for called, node in calls(tree):
        assert called not in FORBIDDEN, f"line {node.lineno}: {called}"
        assert not any(word.arg == "shell" for word in node.keywords), f"line {node.lineno}: {called} with shell="
    for node in ast.walk(tree):
        words = node.elts if isinstance(node, ast.List) else []
        if words and isinstance(words[0], ast.Constant) and words[0].value in SHELLS:
            assert name in INSIDE_A_CONTAINER | OUR_OWN_SCRIPT, f"line {node.lineno}: a shell's words"


def test_the_places_that_may_are_still_there() -> None:
    for name in INSIDE_A_CONTAINER | OUR_OWN_SCRIPT:
        assert '"/bin/sh"' in (ROOT / name).read_text("utf-8"), f"{name} needs no place in the list any more"


def test_a_shell_would_be_found() -> None:
    """The check above can fail: a file with what it looks for has all of it found."""
    tree = ast.parse("import os\nos.system(x)\nsubprocess.run(x, shell=True)\nrun(['sh', '-c', x])\n")
    assert {"os.system", "subprocess.run", "run"} == {called for called, _ in calls(tree)}
