"""Compiles Python without its docstrings: processes that idle would keep them in memory for nobody.

Python's own switch for that (-OO) would want a second copy of the standard library's code, and each way of starting would have
to know it. A compiled file that lies where Python looks for it is taken as it is, however it was made.
"""

from __future__ import annotations

import importlib.util
import py_compile
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TOLD = "/faces/api/"
"""The docstrings of these modules are told to people: in the API's description, and in what it refuses."""
SETUP_ONLY = ("pip", "setuptools")
"""Packages that no process of the platform loads."""


def compile_all(folder: Path) -> None:
    """Compiles every module below `folder`. What this Python can not read is left alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the sources of other people
        for path in _modules(folder):
            target = importlib.util.cache_from_source(str(path), optimization="")
            with suppress(py_compile.PyCompileError, UnicodeDecodeError, ValueError):
                py_compile.compile(str(path), target, doraise=True, optimize=0 if TOLD in path.as_posix() else 2)


def _modules(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        if path.relative_to(folder).parts[0] not in SETUP_ONLY:
            yield path


if __name__ == "__main__":
    for given in sys.argv[1:]:
        compile_all(Path(given))
