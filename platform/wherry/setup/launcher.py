"""The command on the PATH, named after the platform, and its tab completion."""

from __future__ import annotations

from pathlib import Path

from wherry.errors import Conflict
from wherry.settings import Settings
from wherry.setup import code, venv

BIN = Path("/usr/local/bin")
COMPLETIONS = Path("/usr/local/share/bash-completion/completions")
MARK = "# Wherry platform in {home}: made by scripts/up, removed by `{name} uninstall --purge`."
OWN_VERBS = "serve | setup | down | uninstall | migrate | secrets:rotate | stack | stack:*"


def path(settings: Settings) -> Path:
    return BIN / settings.name


def ensure(settings: Settings) -> str:
    """Raises Conflict when the name on the PATH belongs to another program."""
    target = path(settings)
    if target.exists() and not is_ours(settings):
        raise Conflict(f"{target} exists and is not ours", hint="Choose another name: sudo WHERRY_NAME=… scripts/up", code="name_taken")
    _put(target, text(settings), 0o755)
    _put(COMPLETIONS / settings.name, _completion(settings), 0o644)
    return ""


def is_ours(settings: Settings) -> bool:
    target = path(settings)
    return target.is_file() and _mark(settings) in target.read_text("utf-8", "replace")


def remove(settings: Settings) -> list[str]:
    """Removes both files when they are ours; returns what was removed."""
    gone = [target for target in (path(settings), COMPLETIONS / settings.name) if target.is_file() and is_ours_text(settings, target)]
    for target in gone:
        target.unlink()
    return [str(target) for target in gone]


def is_ours_text(settings: Settings, target: Path) -> bool:
    return _mark(settings) in target.read_text("utf-8", "replace")


def text(settings: Settings) -> str:
    """Two ways in: root's own verbs with all libraries, everything else by the thin client, which starts in a blink. The
    doctor is root's own too, so that it can look at a platform that does not run; others ask the engine for it."""
    python, wherry = venv.python(settings), code.folder(settings) / "platform" / "wherry"
    return (
        f"#!/bin/sh\n{_mark(settings)}\n"
        f"export WHERRY_HOME={settings.home} WHERRY_NAME={settings.name}\n"
        f'case "$1" in\n  {OWN_VERBS}) exec {python} -I {wherry}/main.py "$@" ;;\n'
        f'  doctor) [ "$(id -u)" != 0 ] || [ -n "$WHERRY_API_URL" ] || exec {python} -I {wherry}/main.py "$@" ;;\nesac\n'
        f'exec {python} -I -S {wherry}/faces/cli/main.py "$@"\n'
    )


def _completion(settings: Settings) -> str:
    from wherry.faces.cli.completion import BASH

    return f"{_mark(settings)}\n" + BASH.replace("complete -o default -F _wherry wherry", f"complete -o default -F _wherry {settings.name}")


def _mark(settings: Settings) -> str:
    return MARK.format(home=settings.home, name=settings.name)


def _put(target: Path, content: str, mode: int) -> None:
    if target.exists() and target.read_text("utf-8", "replace") == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    fresh.write_text(content, "utf-8")
    fresh.chmod(mode)
    fresh.replace(target)
