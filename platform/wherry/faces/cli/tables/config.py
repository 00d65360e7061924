"""The commands that `faces/cli/config.py` answers."""

from wherry.faces.cli.command import Command

TABLE = (
    Command(
        "config", "APP", "Show the config vars of an app", "config.show", ("wherry config shop",), aliases=("config:list", "config:show")
    ),
    Command(
        "config:get",
        "APP KEY",
        "Print the value of one config var",
        "config.get",
        ("wherry config:get shop DATABASE_URL",),
    ),
    Command(
        "config:set",
        "APP KEY=VALUE…",
        "Set config vars; all of one command are one release",
        "config.set_vars",
        ("wherry config:set shop GREETING=hello DEBUG=0", "wherry config:set shop TLS_KEY < key.pem"),
        "Values arrive in the app byte for byte. A KEY without = takes its value from standard input, last line end included,\n"
        "which also keeps a secret out of the shell's history. Keys are letters, digits and _. A change restarts the app.",
        changes=True,
    ),
    Command(
        "config:unset",
        "APP KEY…",
        "Remove config vars",
        "config.unset",
        ("wherry config:unset shop DEBUG",),
        aliases=("config:remove",),
        changes=True,
    ),
)
