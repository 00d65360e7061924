"""What an instance's last lines tell of why it ended, for the commonest reasons: a package or a program that is not in the image,
a config var that is not set, a script that can not be run. A hint only: the lines themselves are shown below it."""

from __future__ import annotations

import re
from collections.abc import Sequence

DONE = "It came to its end by itself: a process has to go on for as long as the app runs, the web process as a server on $PORT."
ANY = "The lines below are its last; run it the same way on your machine."

SHOWN = 12
"""Lines that a person reads of an instance that ended."""
READ = 60
"""Lines in which a reason is looked for."""

_DEV = "A dev dependency is not in the image."
_REASONS = (
    (
        r"ModuleNotFoundError: No module named '([A-Za-z_]\w{0,60})",
        f'"{{1}}" is neither a file of the push ({{1}}.py) nor brought by a package among its dependencies. {_DEV}',
    ),
    (
        r"Failed to find attribute '([A-Za-z_]\w{0,60})' in",
        'The module has no "{1}": name the variable that holds the app after the colon, e.g. web: gunicorn app:app',
    ),
    (
        r"Cannot find (?:module|package) '((?:@[\w.-]{1,60}/)?[a-z0-9][\w.-]{0,60})[/']",
        f'The package {{1}} is not in the image: is it under "dependencies" in package.json? {_DEV}',
    ),
    (
        r"Cannot find module '(\.{1,2}/[^'\s]{1,100})'",
        "{1} is not in the image: is it in the push, or does .gitignore leave it out?",
    ),
    (
        r"require is not defined in ES module scope",
        'package.json says "type": "module", so its .js files take import: use that, or end the file\'s name in .cjs.',
    ),
    (
        r"Cannot use import statement outside a module",
        'For import the file has to be a module: say "type": "module" in package.json, or end the file\'s name in .mjs.',
    ),
    (
        r"Cannot find module '/app/([^'\s]{1,100})'",
        "{1} is not in the image: is it in the push, or made by the build?",
    ),
    (
        r"([\w@./-]{1,60}): Permission denied$",
        "If {1} is a script of yours, let it be run: git update-index --chmod=+x {1}, then commit.",
    ),
    (
        r"(?:^|[\s:])([\w@.-]{0,60}/[\w@./-]{1,60}): (?:not found|No such file or directory)$",
        "Is {1} in the push? A script with Windows line ends (CRLF) is not found either: save it with LF.",
    ),
    (
        r"(?:^|[\s:])([\w@][\w@.-]{0,60}): (?:command )?not found$",
        f"The program {{1}} is not in the image: is the package that brings it among the dependencies? {_DEV}",
    ),
    (
        r"\\r'?: No such file|use -\[v\]S",
        "A script has Windows line ends (CRLF): save it with LF.",
    ),
    (
        r"KeyError: '([A-Z][A-Z0-9_]{1,60})'",
        "If {1} is a config var, set it: wherry config:set {app} {1}=VALUE",
    ),
)


def last_words(lines: Sequence[str], app: str, exit_code: int | None = 1) -> tuple[tuple[str, ...], str]:
    """The lines to show of an instance of `app` that ended, out of its last ones, and the way out of the first reason that they
    tell. The reason decides which: in Node.js it stands before a stack that is longer than what is shown."""
    near = lines[-SHOWN:]
    if exit_code == 0:
        return tuple(near), DONE
    for some in (near, lines):
        found = _reason(some)
        if found:
            at, sentence = found
            return tuple(near if some is near else some[at : at + SHOWN]), sentence.replace("{app}", app)
    return tuple(near), ANY


def _reason(lines: Sequence[str]) -> tuple[int, str] | None:
    """The line that tells a reason, and the sentence for it."""
    for pattern, sentence in _REASONS:
        for at, line in enumerate(lines):
            match = re.search(pattern, line)
            if match:
                return at, sentence.replace("{1}", match[1] if match.re.groups else "")
    return None
