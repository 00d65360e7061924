"""The commands that `faces/cli/config.py` answers."""

from wherry.faces.cli.command import GLOBAL, NO_RESTART, REVEAL, Command, Option

FORMAT = Option(("-f", "--format"), "FORMAT", "envfile (default), shell or json")

TABLE = (
    Command(
        "config",
        "APP",
        "Show the config vars of an app, values hidden",
        "config.show",
        ("wherry config shop", "wherry config shop --reveal", "wherry config --global"),
        "Those marked global are of all apps (--global). For a program: config:export, or --json, which prints the values too.",
        own_options=(REVEAL, GLOBAL),
        aliases=("config:list", "config:show"),
    ),
    Command(
        "config:get",
        "APP KEY",
        "Print the value of one config var",
        "config.get",
        ("wherry config:get shop DATABASE_URL",),
        own_options=(GLOBAL,),
    ),
    Command(
        "config:set",
        "APP KEY=VALUE…",
        "Set config vars; all of one command are one release",
        "config.set_vars",
        ("wherry config:set shop GREETING=hello DEBUG=0", "wherry config:set shop TLS_KEY < key.pem", "wherry config:set --global TZ=UTC"),
        "Values arrive in the app byte for byte. A KEY without = takes its value from standard input, last line end included,\n"
        "which also keeps a secret out of the shell's history. Keys are letters, digits and _. A change puts fresh instances in\n"
        "the place of the old ones, without a lost request. With --no-restart the release is kept and instances stay as they are:\n"
        "they get it with the next release, ps:restart or ps:start of the whole app. --global sets it for all apps, below their own.",
        own_options=(NO_RESTART, GLOBAL),
        changes=True,
    ),
    Command(
        "config:unset",
        "APP KEY…",
        "Remove config vars",
        "config.unset",
        ("wherry config:unset shop DEBUG",),
        own_options=(NO_RESTART, GLOBAL),
        aliases=("config:remove",),
        changes=True,
    ),
    Command(
        "config:clear",
        "APP",
        "Remove all config vars of an app; wherry rollback brings them back",
        "config.clear",
        ("wherry config:clear shop",),
        own_options=(NO_RESTART, GLOBAL),
        changes=True,
    ),
    Command("config:keys", "APP", "List the names of the config vars", "config.keys", ("wherry config:keys shop",), own_options=(GLOBAL,)),
    Command(
        "config:export",
        "APP",
        "Print config vars with their values, as a file that config:import reads",
        "config.export",
        ("wherry config:export shop > shop.env", 'eval "$(wherry config:export shop -f shell)"'),
        "Only the app's own, without the global ones unless --merged.",
        own_options=(FORMAT, Option(("--merged",), "", "with the global ones"), GLOBAL),
    ),
    Command(
        "config:import",
        "APP [FILE]",
        "Set config vars from a file or standard input; one release",
        "config.import_vars",
        ("wherry config:import shop .env", "wherry config:import shop < shop.json"),
        "JSON is known by its brace; anything else is read as an envfile: KEY=value, quotes as in a shell, # for comments. What\n"
        "the file does not name stays.",
        own_options=(FORMAT, NO_RESTART, GLOBAL),
        changes=True,
    ),
)
