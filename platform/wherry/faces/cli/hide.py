"""Takes values out of what `ps` shows of this process: every account of the machine can read the arguments of all."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

ARG_START = 45
"""Its position in /proc/self/stat after the name: proc(5), field 48."""
TELLING = ("=", "://")
"""What a word looks like that may be a secret: a config var, an address with a password in it."""


def hide_values() -> None:
    """Blanks all words after the command, when one of them may be a secret. A moment remains before this runs."""
    words = sys.argv[2:]
    if any(sign in word for word in words for sign in TELLING):
        with suppress(OSError, ValueError):
            _blank(b"\0".join(map(os.fsencode, words)) + b"\0")


def _blank(tail: bytes) -> None:
    """The kernel reads the arguments from the process's own memory, where they end with `tail`."""
    with open("/proc/self/cmdline", "rb") as file:  # noqa: PTH123 - pathlib costs 5 ms at every start
        whole = file.read()
    with open("/proc/self/stat", "rb") as file:  # noqa: PTH123
        start = int(file.read().rpartition(b")")[2].split()[ARG_START])
    if whole.endswith(tail):
        with open("/proc/self/mem", "r+b", buffering=0) as memory:  # noqa: PTH123
            os.pwrite(memory.fileno(), bytes(len(tail)), start + len(whole) - len(tail))
