"""What a running platform is made of, in one word: equal for two when the second would change nothing."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from wherry.settings import Settings, source_root


def of(settings: Settings) -> str:
    """Of the code and packages that this very process runs with, and of `settings`."""
    facts = f"{source_root()} {Path(sys.prefix).resolve()} {settings!r}"
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def note(settings: Settings) -> None:
    """Called by `serve` when it starts: this is what runs now."""
    (settings.run / "serve.identity").write_text(of(settings) + "\n", "ascii")


def running(settings: Settings) -> str:
    try:
        return (settings.run / "serve.identity").read_text("ascii").strip()
    except FileNotFoundError:
        return ""
