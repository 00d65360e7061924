"""Takes secrets out of text that leaves the machine: what the database knows as one, and what looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from wherry.errors import WherryError
from wherry.settings import Settings
from wherry.store import apps, releases
from wherry.store.database import Database

MASK = "***"
SHORTEST = 4
"""Shorter values are no secrets, and masking every "1" would leave nothing to read."""

NAMED = re.compile(
    r"(?i)\b([a-z0-9_.-]*(?:password|passwd|secret|token|api_?key|authorization)[a-z0-9_.-]*\"?\s*[=:]\s*\"?)(?:bearer\s+)?[^\s\",]+"
)
"""`PASSWORD=…`, `"api_key": "…"`, `Authorization: Bearer …`."""

PATTERNS = (
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"(?<=://)[^/@\s:]*:[^/@\s]+(?=@)"), MASK),
    (re.compile(r"wherry_[0-9A-Za-z]{20,}"), MASK),
    (NAMED, r"\1***"),
    (re.compile(r"[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+\.[0-9A-Za-z.-]+"), MASK),
)


class Masker:
    """`values` are masked wherever they stand, the longest first, so that no rest of one stays."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = sorted({value for value in values if len(value) >= SHORTEST}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MASK)
        for pattern, instead in PATTERNS:
            text = pattern.sub(instead, text)
        return text


def of(settings: Settings) -> Masker:
    """Knows every config var of every app and release, each line of those that have several, and the keys on disk."""
    return Masker([line for value in _values(settings) for line in (value, *value.splitlines())])


def _values(settings: Settings) -> list[str]:
    found = _keys(settings)
    if not settings.database.exists():
        return found
    try:
        with Database(settings.database).read() as connection:
            for app in apps.every(connection):
                configs = [app.environment, app.build.args, *(release.config for release in releases.of_app(connection, app, 500))]
                found += [str(value) for config in configs for value in config.values()]
    except (WherryError, ValueError):
        return found
    return found


def _keys(settings: Settings) -> list[str]:
    """Files that hold nothing but a secret. One that can not be read is not in a log either."""
    found: list[str] = []
    for path in (settings.registry_logins, *_files(settings.acme), *_files(settings.ssh)):
        try:
            found.append(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            continue
    return found


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*") if path.is_file() and path.suffix != ".pub"] if folder.is_dir() else []
