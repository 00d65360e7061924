"""The commands that `faces/cli/completion.py` answers."""

from wherry.faces.cli.command import Command

TABLE = (
    Command(
        "completion",
        "[WORD…]",
        "Print what makes bash complete commands, apps and keys with Tab",
        "completion.show",
        ('eval "$(wherry completion)"', "wherry completion | sudo tee /usr/share/bash-completion/completions/wherry > /dev/null"),
        "With words it answers what may follow them, one per line; that is what the shell asks.",
    ),
)
