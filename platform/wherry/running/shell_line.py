"""A Procfile line becomes an argument list: one shell inside the container, that gives way to the last program.

The shell must not stay in front: `sh` does not pass SIGTERM on, so the app would be killed instead of asked to end.
"""

from __future__ import annotations

import re
import shlex

CONNECTORS = frozenset({"&&", ";"})
COMPOUND = frozenset({"if", "while", "until", "for", "case", "{", "function"})
BUILTINS = frozenset({"!", "exec", "time", "cd", "export", "set", ".", "source", "exit", "trap"})


def shell_argv(command: str) -> list[str]:
    """The argument list that runs `command` as `sh` reads it. An empty command gives an empty list: the image's own."""
    return ["/bin/sh", "-c", _giving_way(command)] if command else []


def _giving_way(command: str) -> str:
    """Puts `exec` before the last simple command when the line is plain enough to be sure; else returns it as it is."""
    try:
        lexer = shlex.shlex(command, posix=False, punctuation_chars=True)
        tokens = list(lexer)
    except ValueError:
        return command
    operators = [token for token in tokens if re.fullmatch(r"[();<>|&]+", token)]
    if any(token not in CONNECTORS for token in operators if not re.fullmatch(r"[<>]+&?", token)) or "\n" in command:
        return command
    if COMPOUND.intersection(tokens):
        return command
    head, connector, last = _split_last(command, operators)
    return head + connector + _with_exec(last)


def _split_last(command: str, operators: list[str]) -> tuple[str, str, str]:
    connectors = [token for token in operators if token in CONNECTORS]
    if not connectors:
        return "", "", command
    head, _, last = command.rpartition(connectors[-1])
    if last.count("'") % 2 or last.count('"') % 2:
        return command, "", ""
    return head, connectors[-1], last


def _with_exec(simple: str) -> str:
    match = re.match(r"(\s*(?:[A-Za-z_][A-Za-z0-9_]*=(?:\"[^\"]*\"|'[^']*'|[^\s\"'])*\s+)*)(\S+)", simple)
    if not match or match[2] in BUILTINS or match[2].startswith(("(", "{", "$(", "`")):
        return simple
    return f"{match[1]}exec {simple[match.end(1) :]}"
