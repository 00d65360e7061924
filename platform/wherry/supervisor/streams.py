"""What the platform says is lost while the disk is full, and nothing but that: its log may lie on that disk, and no process may
end because it could not complain."""

from __future__ import annotations

import errno
import io
import sys
from typing import Any

LOST = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class Lossy(io.FileIO):
    """A descriptor that takes what it is given, also when the disk does not."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            if error.errno not in LOST:
                raise
            return len(data)


def keep_speaking() -> None:
    """From now on stdout and stderr of this process and its forks never fail for want of room."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        getattr(sys, name).flush()
        raw = io.BufferedWriter(Lossy(descriptor, "w", closefd=False))
        setattr(sys, name, io.TextIOWrapper(raw, "utf-8", "backslashreplace", line_buffering=True))
