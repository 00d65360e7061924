"""The commands that `faces/cli/logs.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "logs",
        "APP",
        "Show the last lines an app printed, and what the platform did to it",
        "logs.show",
        ("wherry logs shop", "wherry logs shop -t", "wherry logs shop -n 20 -p web.1", "wherry logs shop --grep error"),
        own_options=(
            Option(("-t", "--tail"), "", "go on as lines come; Ctrl-C ends it"),
            Option(("-n", "--num"), "N", "how many lines, 1-10000 (default 100)"),
            Option(("-p", "--ps"), "INSTANCE", "of one process type or instance: web, web.1"),
            Option(("-s", "--source"), "SOURCE", "app or wherry"),
            Option(("-g", "--grep"), "TEXT", "only lines that contain TEXT"),
        ),
    ),
)
