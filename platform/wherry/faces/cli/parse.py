"""Reads the words of a command line against the table of commands; nothing is done before all of them fit."""

from __future__ import annotations

from wherry.errors import InvalidInput
from wherry.faces.cli.commands import ALIASES, COMMANDS, MACHINE, Command, Option, find
from wherry.faces.cli.render import quoted


class Given:
    """What was given to a command: words by the name of their argument, options by their long name."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.words: dict[str, list[str]] = {}
        self.options: dict[str, str] = {}

    @property
    def app(self) -> str:
        return self.word("APP")

    @property
    def json(self) -> bool:
        return "--json" in self.options

    @property
    def wait(self) -> bool:
        return "--no-wait" not in self.options

    def word(self, name: str) -> str:
        return self.words[name][0]

    def maybe(self, name: str) -> str | None:
        found = self.words.get(name)
        return found[0] if found else None

    def many(self, name: str) -> list[str]:
        return self.words.get(name, [])

    def option(self, name: str) -> str | None:
        return self.options.get(name)

    def number(self, name: str, default: int, most: int, least: int = 1) -> int:
        """Raises InvalidInput unless the option is a whole number from `least` to `most`."""
        text = self.options.get(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
            raise InvalidInput(f"{name} {quoted(text)}: give a whole number from {least} to {most}, e.g. {name} {default}", field=name)
        return int(text)


def parse(argv: list[str]) -> Given:
    """Raises InvalidInput that names the word that does not fit, the usage and an example."""
    if not argv or argv[0] in ("--help", "-h"):
        return Given(COMMANDS["help"])
    name = ALIASES.get(argv[0], argv[0])
    command = COMMANDS.get(name)
    if command is None:
        raise unknown_command(argv[0])
    given = Given(command)
    words = _take_options(given, argv[1:])
    if "--help" in given.options:
        about = Given(COMMANDS["help"])
        about.words["TOPIC"] = [command.name]
        return about
    _take_words(given, words)
    return given


def unknown_command(name: str) -> InvalidInput:
    from wherry.faces.cli.suggest import nearest

    if name in MACHINE:
        return InvalidInput(f"{name} is a command of the machine itself: run it there, sudo wherry {name}", code="unknown_command")
    near = nearest(name, [*COMMANDS, *ALIASES])
    advice = f"; did you mean {quoted(near)}?" if near else "; see: wherry help"
    return InvalidInput(f"unknown command {quoted(name)}{advice}", code="unknown_command")


def _take_options(given: Given, argv: list[str]) -> list[str]:
    """Reads the options wherever they stand and returns the other words. After `--` nothing is an option."""
    words: list[str] = []
    rest = iter(argv)
    for word in rest:
        if word == "--":
            words.extend(rest)
        elif word.startswith("-") and word != "-":
            name, value = _split(word)
            option = find(given.command, name)
            if option is None:
                raise _unknown_option(given.command, name)
            given.options[option.long] = _value(
                given.command, option, name, value, next(rest, None) if option.value and value is None else None
            )
        else:
            words.append(word)
            if given.command.literal and len(words) > _places(given):
                words.extend(rest)  # a command of the person's own: nothing in it is ours
    return words


def _places(given: Given) -> int:
    """How many words stand before the command that is taken as it is."""
    singles = [argument for argument in given.command.arguments if not argument.many]
    return len(singles) - ("--app" in given.options)


def _split(word: str) -> tuple[str, str | None]:
    """`--app=shop` and `-ashop` carry their value with them."""
    if word.startswith("--"):
        name, sign, value = word.partition("=")
        return name, value if sign else None
    return word[:2], word[2:] or None


def _value(command: Command, option: Option, name: str, attached: str | None, following: str | None) -> str:
    if not option.value:
        if attached is not None:
            raise InvalidInput(f"{command.name}: {name} takes no value, got {quoted(attached)}", code="usage")
        return ""
    value = attached if attached is not None else following
    if value is None:
        raise InvalidInput(f"{command.name}: {name} needs {option.value}\n{usage_line(command)}", code="usage")
    return value


def _unknown_option(command: Command, name: str) -> InvalidInput:
    from wherry.faces.cli.suggest import nearest

    near = nearest(name, [spelling for option in command.options for spelling in option.names])
    advice = f"; did you mean {near}?" if near else ""
    return InvalidInput(f"{command.name}: unknown option {quoted(name)}{advice}\n{usage_line(command)}", code="usage")


def _take_words(given: Given, words: list[str]) -> None:
    """Hands the words to the command's arguments in order; `-a APP` stands for the argument APP, `--global` for all apps."""
    elsewhere = "--app" in given.options or "--global" in given.options
    waiting = [argument for argument in given.command.arguments if argument.name != "APP" or not elsewhere]
    if "--app" in given.options and "--global" in given.options:
        raise InvalidInput(f"{given.command.name}: give an app or --global, not both\n{usage_line(given.command)}", code="usage")
    if "--app" in given.options:
        given.words["APP"] = [given.options["--app"]]
    for argument in waiting:
        if argument.name == "APP" and words and "=" in words[0]:
            raise InvalidInput(
                f"{given.command.name}: {quoted(words[0])} is not an app; APP is missing\n{usage_line(given.command)}", code="usage"
            )
        if argument.many:
            given.words[argument.name], words = words, []
        elif words:
            given.words[argument.name], words = words[:1], words[1:]
        if argument.required and not given.words.get(argument.name):
            raise InvalidInput(f"{given.command.name}: {argument.name} is missing\n{usage_line(given.command)}", code="usage")
    if words:
        raise InvalidInput(f"{given.command.name}: {quoted(words[0])} is one word too many\n{usage_line(given.command)}", code="usage")


def usage_line(command: Command) -> str:
    example = f", e.g. {command.examples[0]}" if command.examples else ""
    return f"usage: wherry {command.usage}{example}"
