"""docs/commands.md, written from the table of commands; a test holds the two together."""

from __future__ import annotations

from wherry.faces.cli.commands import Command, of_noun
from wherry.faces.cli.help import headings

EXITS = {
    0: "done, or there was nothing to do",
    1: "the operation failed or was cancelled; or a fault of ours, which says so",
    2: "a word or value is off: the message says which, the allowed form and an example",
    3: "not allowed, or nobody proved who they are",
    4: "no such thing",
    5: "the state of the world forbids it (a name is taken, no release yet)",
    6: "the platform is busy or not running; try again",
    130: "Ctrl-C. An operation that had begun goes on, and the last line says how to look at it",
    141: "who read the output went away (a closed pipe); nothing is printed about it",
}

ENVIRONMENT = {
    "WHERRY_HOME": "the platform's state folder, where its socket is (default `/var/lib/wherry`)",
    "WHERRY_API_URL": "the API of a platform elsewhere, e.g. `http://127.0.0.1:8420` through a tunnel; plain http goes to loopback only",
    "WHERRY_TOKEN": "the token for it: `wherry tokens:create laptop`",
    "NO_COLOR": "anything but empty: no colour. There is none in a pipe either",
}

INTRODUCTION = """\
# Commands

Written by `wherry help --markdown` from the tables in `platform/wherry/faces/cli/tables/`; change those, not this.

The same commands work on the machine (`wherry ps shop`), over SSH (`ssh -p 2222 wherry@HOST ps shop`), and from anywhere with a token.
`-a APP` (or `--app APP`) may stand anywhere instead of the word APP: `wherry ps:scale web=2 -a shop`. After `--` nothing is an option.

A command that changes something waits until it is true and prints what happens; `--no-wait` prints the operation instead. Ctrl-C stops
the waiting, not the operation. `--json` prints the API's own document ([api.md](api.md)); times in it are RFC 3339. Errors go to
standard error, with `--json` as a document with `code`, `detail` and `hint`; every code is in [errors.md](errors.md).
"""


def reference() -> str:
    """The whole page, with one line end at its end."""
    parts = [INTRODUCTION, _list("Exit status", EXITS), _list("Environment", ENVIRONMENT)]
    for heading, nouns in headings().items():
        parts.append(f"## {heading}\n")
        parts.extend(_section(command) for noun in nouns for command in of_noun(noun))
    return "\n".join(parts)


def _list(heading: str, rows: dict[int, str] | dict[str, str]) -> str:
    return "\n".join([f"## {heading}\n", *(f"- `{name}`: {meaning}" for name, meaning in rows.items()), ""])


def _section(command: Command) -> str:
    lines = [f"### `{command.usage}`", "", command.summary + ".", *([command.details] if command.details else []), ""]
    own = [*command.own_options]
    lines += [f"- `{', '.join(option.names)}{' ' + option.value if option.value else ''}`: {option.summary}" for option in own]
    lines += [""] if own else []
    lines += [f"    {example}" for example in command.examples]
    lines += ["", f"Also: {', '.join(f'`{alias}`' for alias in command.aliases)}"] if command.aliases else []
    return "\n".join([*lines, ""])
