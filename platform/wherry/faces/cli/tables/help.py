"""The commands that `faces/cli/help.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "help",
        "[TOPIC]",
        "Explain a command, a noun, or an error code",
        "help.show",
        ("wherry help", "wherry help ps:scale", "wherry help R10"),
        own_options=(Option(("--markdown",), "", "print docs/commands.md"),),
    ),
    Command(
        "version",
        "",
        "Print the version of this command line and of the platform",
        "help.version",
        ("wherry version",),
        aliases=("--version",),
    ),
)
