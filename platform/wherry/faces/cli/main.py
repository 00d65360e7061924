"""The `wherry` command line: words in, one answer out, an exit status that tells the truth, and never a traceback.

Runs as `python -I -S platform/wherry/faces/cli/main.py …` too, and then finds its own package; nothing heavy is imported.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    _file = os.path.realpath(__file__)
    for _ in range(4):
        _file = os.path.dirname(_file)  # noqa: PTH120 - pathlib costs 5 ms at every start
    sys.path.insert(0, _file)

from collections.abc import Callable

from wherry.errors import WherryError
from wherry.faces.cli import problems
from wherry.faces.cli.hide import hide_values
from wherry.faces.cli.parse import parse
from wherry.faces.cli.render import as_json, printable
from wherry.faces.cli.session import Session
from wherry.faces.cli.terminal import Terminal
from wherry.words import from_environment

INTERRUPTED, PIPE_CLOSED, FAULT = 130, 141, 1


def main(argv: list[str] | None = None, terminal: Terminal | None = None) -> int:
    """Runs one command; `argv` are the words after `wherry`. Returns the exit status (docs/commands.md lists them)."""
    terminal = terminal or Terminal()
    words = [_utf8(word) for word in (_own_words(terminal) if argv is None else argv)]
    try:
        return _run(words, terminal)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return PIPE_CLOSED


def _own_words(terminal: Terminal) -> list[str]:
    hide_values()
    return sys.argv[1:] + from_environment(terminal.environ)


def _run(words: list[str], terminal: Terminal) -> int:
    try:
        given = parse(words)
        return _handler(given.command.handler)(Session(terminal, given))
    except WherryError as error:
        if "--json" in words:
            terminal.complain(as_json(problems.as_document(error)), [as_json(text) for text in error.quoted])
        else:
            terminal.complain(problems.as_text(error), [printable(line) for text in error.quoted for line in text.splitlines()])
        return error.exit_status
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:
        terminal.complain(_fault(error))
        return FAULT


def _handler(name: str) -> Callable[[Session], int]:
    """Imports only the file that the command needs."""
    module, _, function = name.partition(".")
    found: Callable[[Session], int] = getattr(__import__(f"wherry.faces.cli.{module}", fromlist=[function]), function)
    return found


def _fault(error: Exception) -> str:
    """Our own mistake, told with the place where it happened: enough for a report, and no traceback."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_globals.get('__name__', '?')}:{place.tb_lineno}" if place else "?"
    fault = f"{type(error).__name__} at {where}"
    return f"this is a fault of ours, not yours ({fault}); please report it with the output of: wherry doctor --bundle"


def _utf8(word: str) -> str:
    """The word's own bytes as UTF-8, whatever the locale; bytes that are not UTF-8 are kept aside as surrogates."""
    return os.fsencode(word).decode("utf-8", "surrogateescape")


def _silence() -> None:
    """Nobody reads any more: what is left in the buffers goes nowhere, without a word at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
