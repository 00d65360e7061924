"""An instance: `web.1`, one container of a release, as the engine last saw it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wherry.errors import InvalidInput

STATES = ("starting", "running", "crashed", "stopped")


@dataclass(frozen=True)
class Instance:
    """`since` is when `state` was entered. `memory` and `memory_limit` are bytes, `cpu` is percent of one core;
    None before the first sample. `detail` says why a crashed instance crashed, `next_try` when it is
    started again: empty for at once, or not at all."""

    app: str
    type: str
    index: int
    release: int
    state: str
    since: str
    container: str = ""
    address: str = ""
    restarts: int = 0
    detail: str = ""
    memory: int | None = None
    memory_limit: int | None = None
    cpu: float | None = None
    next_try: str = ""

    @property
    def name(self) -> str:
        return f"{self.type}.{self.index}"


def parse_scope(text: str) -> str:
    """Reads what `ps:restart APP [web|web.1]` names. Raises InvalidInput otherwise."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}(\.[1-9][0-9]{0,8})?", text):
        raise InvalidInput(f"{text[:60]!a}: give a process type or an instance, e.g. web or web.1", field="instance")
    return text
