"""The commands that `faces/cli/logs.py` answers."""

from wherry.faces.cli.command import Command, Option

TABLE = (
    Command(
        "logs",
        "APP",
        "Show the last lines an app printed, its requests, and what the platform did to it",
        "logs.show",
        (
            "wherry logs shop",
            "wherry logs shop -t",
            "wherry logs shop -n 20 -p web.1",
            "wherry logs shop -s router --since 10m",
            "wherry logs shop --grep code=H12",
        ),
        "Times are UTC. --since and --until take how long ago (90s, 10m, 2h, 3d) or a time (2026-11-21, 2026-11-21T07:43).\n"
        "--grep looks for plain text as it stands, not for a pattern.",
        own_options=(
            Option(("-t", "--tail"), "", "go on as lines come; Ctrl-C ends it"),
            Option(("-n", "--num"), "N", "how many lines, 1-10000 (default 100; with --since all)"),
            Option(("-p", "--ps"), "INSTANCE", "of one process type or instance: web, web.1"),
            Option(("-s", "--source"), "SOURCE", "app, router or platform"),
            Option(("-g", "--grep"), "TEXT", "only lines that contain TEXT"),
            Option(("--since",), "TIME", "only lines from then on"),
            Option(("--until",), "TIME", "only lines before then"),
            Option(("-q", "--quiet"), "", "what was said, without time and name"),
        ),
    ),
    Command(
        "logs:set",
        "APP [NAME=VALUE…]",
        "Show or set what an app's log takes in and how much of it is kept",
        "logs.set_fields",
        ("wherry logs:set shop", "wherry logs:set shop router=off", "wherry logs:set shop query=on max-size=64"),
        "router: a line for each request, on or off.\n"
        "query: whether those lines show query strings, on or off. Off at first: people put secrets there.\n"
        "max-size: MB on disk; the oldest lines go first. Without a value it is the platform's WHERRY_LOG_SIZE again.",
    ),
)
