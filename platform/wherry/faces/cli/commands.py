"""All commands, gathered from the tables: help, parsing, completion, did-you-mean and docs/commands.md come from here."""

from __future__ import annotations

from wherry.faces.cli.command import NOUNS, Argument, Command, Option
from wherry.faces.cli.tables import (
    apps,
    build,
    builds,
    certs,
    checks,
    completion,
    config,
    disk,
    doctor,
    domains,
    drains,
    events,
    fronts,
    help,
    keys,
    limits,
    logs,
    operations,
    ps,
    registries,
    releases,
    run,
    sources,
    storage,
    tokens,
    users,
)

__all__ = ["ALIASES", "COMMANDS", "MACHINE", "NOUNS", "Argument", "Command", "Option", "find", "of_noun"]

MACHINE = ("setup", "serve", "down", "stack", "migrate", "secrets:rotate", "uninstall")
"""Commands of the machine itself, for root, which `wherry.main` answers; not over SSH and not through the API."""

_TABLES = (
    apps,
    ps,
    limits,
    checks,
    run,
    logs,
    drains,
    config,
    storage,
    build,
    builds,
    domains,
    certs,
    fronts,
    sources,
    registries,
    releases,
    operations,
    disk,
    events,
    keys,
    tokens,
    users,
    doctor,
    help,
    completion,
)

_TABLE: tuple[Command, ...] = tuple(command for table in _TABLES for command in table.TABLE)

COMMANDS = {command.name: command for command in _TABLE}

ALIASES = {alias: command.name for command in _TABLE for alias in command.aliases}


def find(command: Command, name: str) -> Option | None:
    """The option of `command` with this spelling."""
    return next((option for option in command.options if name in option.names), None)


def of_noun(noun: str) -> list[Command]:
    return [command for command in _TABLE if command.noun == noun]
