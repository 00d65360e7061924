"""What a command is, as data: its words, options and examples. The tables in `tables/` are made of these.

An argument in capitals is a person's word; `[X]` may be left out, `X…` may be given more than once.
"""

from __future__ import annotations

from typing import NamedTuple


class Argument(NamedTuple):
    name: str
    required: bool
    many: bool


class Option(NamedTuple):
    """`names` holds its spellings, the long one last; `value` names what it takes, empty for a switch."""

    names: tuple[str, ...]
    value: str
    summary: str

    @property
    def long(self) -> str:
        return self.names[-1]


class Command(NamedTuple):
    """`takes` is the pattern of its words, `handler` is `file.function` in this folder, `examples` are whole command lines. With `literal`
    its last argument is taken as it is: after its first word nothing is an option of ours."""

    name: str
    takes: str
    summary: str
    handler: str
    examples: tuple[str, ...]
    details: str = ""
    own_options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()
    changes: bool = False
    literal: bool = False

    @property
    def noun(self) -> str:
        return NOUN_OF.get(self.name, self.name.partition(":")[0])

    @property
    def arguments(self) -> list[Argument]:
        return [
            Argument(word.strip("[]").removesuffix("…"), not word.startswith("["), word.strip("[]").endswith("…"))
            for word in self.takes.split()
        ]

    @property
    def options(self) -> list[Option]:
        """Its own options, then those that many commands share."""
        app = [APP] if any(argument.name == "APP" for argument in self.arguments) else []
        return [*self.own_options, *app, *([NO_WAIT] if self.changes else []), JSON, HELP]

    @property
    def usage(self) -> str:
        own = [f"[{option.names[0]}{' ' + option.value if option.value else ''}]" for option in self.own_options]
        return " ".join([self.name, *self.takes.split(), *own])


APP = Option(("-a", "--app"), "APP", "the app, instead of the word APP; may stand anywhere")
JSON = Option(("--json",), "", "print the API's own document")
NO_WAIT = Option(("--no-wait",), "", "print the operation instead of waiting until it is done")
FORCE = Option(("-f", "--force"), "", "deploy also what runs already")
NO_CACHE = Option(("--no-cache",), "", "build every layer anew, also of what runs already")
GLOBAL = Option(("--global",), "", "the config vars of all apps, instead of APP")
NO_RESTART = Option(("--no-restart",), "", "instances get it with the next release or ps:restart")
REVEAL = Option(("--reveal",), "", "show the values of config vars")
HELP = Option(("-h", "--help"), "", "show this")
MEMORY = Option(("-m", "--memory"), "SIZE", "memory limit, e.g. 512m or 2g (default: an instance's)")
TIME_LIMIT = Option(("--time-limit",), "TIME", "end it after so long, e.g. 90s, 30m, 24h; up to 7d")
NO_TTY = Option(("--no-tty",), "", "no terminal for the program, also when you have one")

NOUN_OF = {"rollback": "releases", "open": "apps", "enter": "run", "builder:set": "build"}

NOUNS = {
    "apps": "Apps",
    "labels": "Apps",
    "ps": "Processes",
    "sizes": "Processes",
    "checks": "Checks",
    "logs": "Logs",
    "drains": "Logs",
    "run": "One-offs",
    "config": "Config vars",
    "storage": "Volumes",
    "build": "Builds",
    "builds": "Builds",
    "buildpacks": "Buildpacks",
    "plan": "Builds",
    "git": "Sources",
    "domains": "Domains",
    "certs": "Domains",
    "https": "Apps",
    "allow": "Visitors",
    "auth": "Visitors",
    "maintenance": "Visitors",
    "releases": "Releases",
    "operations": "Releases",
    "events": "Releases",
    "disk": "The machine",
    "users": "People",
    "keys": "People",
    "tokens": "Credentials",
    "registry": "Credentials",
    "doctor": "Help",
    "help": "Help",
    "version": "Help",
    "completion": "Help",
}
"""The first word of a command's name, and the heading it stands under; in the order people meet them."""
