"""`wherry help`: one screen for all, one page per command, one paragraph per error code; and the version."""

from __future__ import annotations

import os

from wherry.errors import NotFound, WherryError
from wherry.faces.cli.commands import ALIASES, COMMANDS, MACHINE, NOUNS, Command, of_noun
from wherry.faces.cli.parse import unknown_command
from wherry.faces.cli.render import quoted
from wherry.faces.cli.session import Session
from wherry.faces.cli.terminal import Terminal
from wherry.own_name import USUAL, in_own_name
from wherry.version import VERSION

EVERYDAY = (
    ("git push wherry main", "build it, check it, serve it"),
    ("wherry ps shop", "what runs"),
    ("wherry ps:scale shop web=3", "three web instances"),
    ("wherry logs shop -t", "what it says, as it says it"),
    ("wherry config:set shop KEY=value", "configure; makes a release"),
    ("wherry rollback shop", "back to the release before"),
)


USUAL_PORT = "2222"
FIT = 65
"""Columns behind a heading on a screen of 80."""


def show(session: Session) -> int:
    if "--markdown" in session.given.options:
        from wherry.faces.cli.reference import reference

        session.terminal.say(reference().rstrip("\n"))
        return 0
    topic = session.given.maybe("TOPIC")
    name = session.terminal.name
    session.terminal.say(in_own_name(overview(name, ssh_port(session.terminal)) if topic is None else about(topic), name))
    return 0


def version(session: Session) -> int:
    """Its own version always; the platform's when it answers."""
    try:
        platform = session.api.get("/api")["version"]
    except WherryError as error:
        return session.show({"wherry": VERSION, "platform": None}, f"wherry {VERSION} (platform: {error.message})")
    return session.show({"wherry": VERSION, "platform": platform}, f"wherry {VERSION} (platform {platform})")


def overview(name: str = USUAL, port: str = USUAL_PORT) -> str:
    """The one screen: what people do every day, then every command by noun."""
    everyday = [(in_own_name(line, name), meaning) for line, meaning in EVERYDAY]
    wide = max(len(line) for line, _ in everyday)
    lines = ["usage: wherry COMMAND [APP] [WORD…]", ""]
    lines += [f"  {line.ljust(wide)}  {meaning}" for line, meaning in everyday]
    lines += ["", "Every command; wherry help COMMAND tells more:"]
    for heading, nouns in headings().items():
        lines += _wrapped(heading, [group for noun in nouns for group in _groups(noun)])
    lines.append(f"  {'As root here':<13}{'  '.join(MACHINE)}")
    return "\n".join([*lines, "", f"From elsewhere: ssh -p {port} wherry@HOST COMMAND …   Error codes: wherry help R10"])


def ssh_port(terminal: Terminal) -> str:
    """Where this machine's platform takes SSH, by its settings, which everybody here may read; the usual one for a platform elsewhere."""
    if terminal.environ.get("WHERRY_API_URL"):
        return USUAL_PORT
    found = terminal.environ.get("WHERRY_SSH_PORT") or _kept(f"{terminal.home}/settings.env", "WHERRY_SSH_PORT")
    return found if found.isascii() and found.isdigit() else USUAL_PORT


def _kept(path: str, key: str) -> str:
    """The value of a line `KEY=value`; empty without one."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib costs 5 ms at every start
            pairs = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except OSError:
        return ""
    return pairs.get(key, "")


def _wrapped(heading: str, groups: list[str]) -> list[str]:
    """The groups behind their heading, as many on a line as fit."""
    rows = [""]
    for group in groups:
        if rows[-1] and len(rows[-1]) + 2 + len(group) > FIT:
            rows.append("")
        rows[-1] += f"{'  ' if rows[-1] else ''}{group}"
    return [f"  {heading if row is rows[0] else '':<13}{row}" for row in rows]


def _groups(noun: str) -> list[str]:
    """`ps :scale :restart :stop :start`: the commands of a noun, its own name not said again and again, but on a new line."""
    names = [command.name for command in of_noun(noun)]
    tails = [name.removeprefix(noun) for name in names if name.startswith(f"{noun}:")]
    others = [name for name in names if name != noun and not name.startswith(f"{noun}:")]
    found = [noun] if tails or noun in names else []
    for tail in tails:
        if len(found[-1]) + 1 + len(tail) > FIT:
            found.append(noun)
        found[-1] += f" {tail}"
    return [*found, *others]


def headings() -> dict[str, list[str]]:
    """Each heading with its nouns, in order."""
    found: dict[str, list[str]] = {}
    for noun, heading in NOUNS.items():
        found.setdefault(heading, []).append(noun)
    return found


def about(topic: str) -> str:
    """The page of a command, the commands of a noun, or the meaning of an error code. Raises InvalidInput for another word."""
    name = ALIASES.get(topic, topic)
    if name in COMMANDS:
        return page(COMMANDS[name])
    if name in NOUNS:
        return "\n".join(_list(name))
    found = explain(topic)
    if found is not None:
        return found
    if topic[:1].isupper() or "_" in topic:
        raise NotFound(f"no error code {quoted(topic)}", hint="All of them are in docs/errors.md.", code="no_such_code")
    raise unknown_command(topic)


def page(command: Command) -> str:
    """One command in full."""
    lines = [f"usage: wherry {command.usage}", "", command.summary + "."]
    lines += [*command.details.splitlines(), ""]
    lines += [
        f"  {', '.join(option.names) + (' ' + option.value if option.value else ''):<26}{option.summary}" for option in command.options
    ]
    lines += ["", *(f"  $ {example}" for example in command.examples)]
    if command.aliases:
        lines += ["", f"Also: {', '.join(command.aliases)}"]
    if command.name == command.noun and len(of_noun(command.noun)) > 1:
        lines += ["", *_list(command.noun)]
    return "\n".join(lines)


def explain(code: str) -> str | None:
    """The row of docs/errors.md for this code as lines, None when there is no such row."""
    from textwrap import fill

    for cells in error_rows():
        if cells[0].lower() == code.lower():
            return "\n".join([cells[0], *(fill(text, 78, initial_indent="  ", subsequent_indent="  ") for text in cells[1:3])])
    return None


def error_rows() -> list[list[str]]:
    """The rows of the table in docs/errors.md: code, what happened, the way out, HTTP status, exit status. Empty without the file."""
    folder = os.path.realpath(__file__)
    for _ in range(5):
        folder = os.path.dirname(folder)  # noqa: PTH120 - pathlib costs 5 ms at every start
    try:
        with open(f"{folder}/docs/errors.md", encoding="utf-8") as file:  # noqa: PTH123
            lines = file.read().splitlines()
    except OSError:
        return []
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")]


def _list(noun: str) -> list[str]:
    """The commands of a noun, each with its line."""
    commands = of_noun(noun)
    wide = max(len(f"{command.name} {command.takes}") for command in commands)
    return [f"  {f'{command.name} {command.takes}'.ljust(wide)}  {command.summary}" for command in commands]
